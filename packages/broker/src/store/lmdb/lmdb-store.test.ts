import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { storeContract } from '../store.contract.js'
import { lmdbStore } from './index.js'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

storeContract('lmdbStore', () => {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-store-'))
  folders.push(directory)
  return {
    lasting: true,
    async open(host) {
      const store = lmdbStore({ directory })
      return { store, recovered: await store.open(host) }
    },
  }
})
