import { memoryStore } from './memory.js'
import { storeContract } from './store.contract.js'

storeContract('memoryStore', () => ({
  lasting: false,
  async open(host) {
    const store = memoryStore()
    return { store, recovered: await store.open(host) }
  },
}))
