import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What the heap holds once nothing is left in it that nobody holds. */
export function heapBytes(): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
