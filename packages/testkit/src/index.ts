export { storageContract, type ContractRunner } from './contracts/storage.ts'
