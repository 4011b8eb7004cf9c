import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Of both halves together. */
const youngBytes = 8 * 1024 * 1024
/** Objects made between two looks, and looks at most: they are what it grows for. */
const objectsAtOnce = 5_000
const mostLooks = 400

/**
 * Bounds the part of the heap in which objects begin. By itself V8 lets it grow to 32 MiB when many clients come at once and
 * keeps it: a kilobyte more a connection at 15,000, and collections that take three times as long. It cannot be bounded in a
 * process that runs, so it is made to grow to where it shall be, and then no further. Whoever starts the process with a size
 * of theirs (`--max-semi-space-size`) has that.
 */
export function boundYoungGeneration(): void {
  if (/semi-space/.test([...process.execArgv, process.env.NODE_OPTIONS].join(' '))) return
  const kept: object[] = []
  for (let looks = 0; looks < mostLooks && sizeOfYoung() < youngBytes; looks++) {
    for (let at = 0; at < objectsAtOnce; at++) kept.push({ at })
  }
  setFlagsFromString('--semi-space-growth-factor=1')
}

function sizeOfYoung(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? youngBytes
}
