import { memoryStore } from './memory.js'
import { storeContract } from './store.contract.js'

storeContract('memoryStore', () => ({
  lasting: false,
  async open(metrics) {
    const store = memoryStore()
    return { store, recovered: await store.open(metrics) }
  },
}))
