import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** From this size of the heap on it is bounded: with less, what it gains on what lives is little, and collections come when they are due. */
const largeBytes = 100_663_296
/** How much a large one may gain on what its last collection has left. */
const growthPercent = 30
const lookEveryMs = 1_000

/**
 * Bounds how far a large heap grows beyond what lives in it. By itself V8 lets it become several times as large while very much is made
 * at once, as when 100,000 sessions come, and gives that back after half a minute of calm. Whoever starts the process with a growth of
 * theirs (`--heap-growing-percent`) has that.
 */
export function boundOldGeneration(): void {
  if (process.execArgv.some((option) => /heap.growing.percent/.test(option))) return
  let isBound = false
  const look = (): void => {
    const isLarge = getHeapStatistics().total_heap_size >= largeBytes
    if (isLarge === isBound) return
    isBound = isLarge
    setFlagsFromString(`--heap-growing-percent=${isLarge ? growthPercent : 0}`) // 0: as V8 sees fit
  }
  setInterval(look, lookEveryMs).unref()
}
