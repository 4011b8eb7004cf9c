export { MemoryTarget } from './memory-target.js'
export { type PluginRig, startPlugin } from './plugin-rig.js'
export { freePort, ServerProcess } from './server-process.js'
export { VirtualClock } from './virtual-clock.js'
