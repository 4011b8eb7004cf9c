export { MemoryTarget } from './memory-target.js'
export { type PluginRig, startPlugin } from './plugin-rig.js'
export { VirtualClock } from './virtual-clock.js'
