// Loaded into a process with --import: tells at its end, on stderr, how long garbage collection has stopped it.
import { writeSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'

const seen = { pauses: 0, longestMs: 0, totalMs: 0 }

/** @param {readonly import('node:perf_hooks').PerformanceEntry[]} entries */
function add(entries) {
  for (const { duration } of entries) {
    seen.pauses++
    seen.totalMs += duration
    seen.longestMs = Math.max(seen.longestMs, duration)
  }
}

const observer = new PerformanceObserver((list) => add(list.getEntries()))
observer.observe({ entryTypes: ['gc'] })

process.on('exit', () => {
  add(observer.takeRecords())
  const [longestMs, totalMs] = [seen.longestMs, seen.totalMs].map((ms) => Number(ms.toFixed(2)))
  writeSync(2, `garbage: ${JSON.stringify({ ...seen, longestMs, totalMs })}\n`)
})
