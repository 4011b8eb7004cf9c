import { StoreError } from './errors.js'
import type { ClientStore } from './state/store.js'

/** The form of `@godwit/client/file-store` for environments without files. Always throws StoreError 'store-unusable'. */
export function fileStore(path: string): ClientStore {
  throw new StoreError('store-unusable', path, 'is a file, and this environment has none: use memoryStore()')
}
