export { MemoryTarget } from './memory-target.js'
export { VirtualClock } from './virtual-clock.js'
