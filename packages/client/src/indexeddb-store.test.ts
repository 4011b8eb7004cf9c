// What it does in a page is in test/browser of the repository.
import { expect, test } from 'vitest'
import { indexedDbStore } from './indexeddb-store.js'

test('where there is no IndexedDB the store says what to take instead', async () => {
  await expect(indexedDbStore('thermo').load()).rejects.toMatchObject({
    code: 'store-unusable',
    message:
      'the store thermo needs IndexedDB, and this environment has none: use memoryStore(), or in Node fileStore()',
  })
})
