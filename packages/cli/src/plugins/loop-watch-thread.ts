import { appendFileSync, writeSync } from 'node:fs'
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { jsonLine } from '../json-log.js'
import { textLine } from '../text-log.js'
import { cells, LoopLook, lookMs, type WatchedCall } from './loop-look.js'
import type { LineTarget, LoopWatchData, LoopWatchNews } from './loop-watch.js'

const { memory, calls: port, targets: first } = workerData as LoopWatchData
let targets = first
const cell = new Int32Array(memory)
const calls: WatchedCall[] = []
const loop = new LoopLook()

while (Atomics.wait(cell, cells.stop, 0, lookMs) === 'timed-out') {
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
    const news = next.message as LoopWatchNews
    if ('call' in news) calls.push(news.call)
    else targets = news.targets
  }
  const blocked = loop.look(performance.now(), cell, (number) => calls[number - 1])
  if (!blocked) continue
  const { message, forMs } = blocked
  const line = { at: new Date(), level: 'warn', message, fields: { forMs } } as const
  for (const { to, format } of targets) write(to, `${format === 'text' ? textLine(line) : jsonLine(line)}\n`)
}

/** Not by `process.stderr`: in a thread that waits for the blocked one. */
function write(to: LineTarget['to'], line: string): void {
  try {
    if (typeof to === 'number') writeSync(to, line)
    else appendFileSync(to, line)
  } catch {
    // there is nobody to tell
  }
}
