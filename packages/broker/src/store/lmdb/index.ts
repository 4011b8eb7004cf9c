export { type LmdbStoreOptions, lmdbStore } from './lmdb-store.js'
export { checkStore, type StoreCheck } from './store-check.js'
export { repairStore } from './store-repair.js'
