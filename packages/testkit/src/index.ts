export { relayStoreContract, type RelayDisk } from './contracts/relay-store.ts'
export { storageContract, type ContractRunner } from './contracts/storage.ts'
