export {
  linkContract,
  type FarEnd,
  type FarEvents,
  type LinkHarness,
  type ServedAddress,
  type TakeLink,
} from './contracts/link.ts'
export { relayStoreContract, type RelayDisk } from './contracts/relay-store.ts'
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
export { createApplication, type Application, type Logged } from './application.ts'
export { checkConservation, checkRest, checkStatus } from './checks.ts'
export { createCluster, type Cluster, type ClusterOptions, type OpenTab } from './cluster.ts'
export { createSimulatedDevice, type SimulatedDevice, type SimulatedTab } from './device.ts'
export { readDevice, type DeviceState } from './device-state.ts'
export {
  everyFault,
  faultNames,
  runHistory,
  type Fault,
  type HistoryOptions,
  type HistoryResult,
} from './history.ts'
export { createSimulatedRelay, type RelayParts, type SimulatedRelay } from './relay.ts'
export { simulatedCollections, type SimulatedCollections, type SimulatedFields } from './schema.ts'
export { shrinkHistory, type ShrunkHistory } from './shrink.ts'
