import { storeContract } from '../../test/store.contract.js'
import { memoryStore } from './store.js'

storeContract('memoryStore', memoryStore)
