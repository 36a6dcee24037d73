export { linkContract } from './contracts/link.ts'
export type { FarEnd, FarEvents, LinkHarness, ServedAddress, TakeLink } from './contracts/link-stage.ts'
export { pageStoreContract } from './contracts/page-store.ts'
export { relayStoreContract } from './contracts/relay-store.ts'
export type { RelayDisk } from './contracts/relay-store-claim.ts'
export { storageContract, type ContractRunner } from './contracts/storage.ts'
export { createChance, type Chance } from './chance.ts'
export { createSimulatedClock, type SimulatedClock } from './clock.ts'
export { createSimulatedDisk, type DiskImage, type SimulatedDisk } from './disk.ts'
export {
  createSimulatedNetwork,
  type ServedSession,
  type ServingRelay,
  type SimulatedNetwork,
} from './network.ts'
export { createScope, type Scope } from './scope.ts'
export { createSimulatedProfile, type SimulatedProfile } from './tabs.ts'
export { createApplication, type Application } from './application/application.ts'
export { createPeople, type People } from './application/people.ts'
export { checkConservation } from './conservation-check.ts'
export { checkRest } from './rest-check.ts'
export { checkStatus } from './status-check.ts'
export { createCluster, databaseOf, type Cluster, type ClusterOptions, type OpenTab } from './cluster.ts'
export {
  createSimulatedDevice,
  type DeviceImage,
  type SimulatedDevice,
  type SimulatedTab,
} from './device.ts'
export type { Eyes } from './eyes.ts'
export { everyFault, faultNames, type Fault } from './faults/fault.ts'
export { readDevice, type DeviceState } from './device-state.ts'
export { helloWith } from './hello.ts'
export { runHistory, type HistoryOptions, type HistoryResult, type Pace } from './history.ts'
export type { Effect, Logged } from './log.ts'
export type { OracleOptions } from './oracle.ts'
export { canBeTaken, pathNames, type Path, type PathCounts } from './paths/path.ts'
export type { Links } from './peering.ts'
export { createSimulatedRelay, type RelayParts, type SimulatedRelay } from './relay.ts'
export {
  simulatedCollections,
  type PairFields,
  type SimulatedCollections,
  type SimulatedFields,
} from './schema.ts'
export { shrinkHistory, type ShrunkHistory } from './shrink.ts'
export { createRemakes, type Remakes } from './watch/remakes.ts'
