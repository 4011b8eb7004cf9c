export { type CommitMode, type LmdbStoreOptions, lmdbStore } from './lmdb-store.js'
