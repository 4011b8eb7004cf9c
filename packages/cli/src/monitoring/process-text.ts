import { statSync } from 'node:fs'
import { descriptorLimit, Exposition } from '@godwit/broker'
import type { EventLoopDelay } from './event-loop-delay.js'

/** What Prometheus reads of the process, under the names that its own client libraries use. */
export function processText(delay: EventLoopDelay): string {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, external } = process.memoryUsage()
  const limit = descriptorLimit()
  const open = openDescriptors()
  const text = new Exposition()
    .counter('process_cpu_seconds_total', 'User and system time of all threads.', (user + system) / 1e6)
    .gauge('process_resident_memory_bytes', 'Memory of the process that is in RAM.', rss)
    .gauge('process_start_time_seconds', 'When the process began, in seconds since 1970.', startedAt)
    .gauge('nodejs_heap_used_bytes', 'Memory that objects of JavaScript take.', heapUsed)
    .gauge('nodejs_external_memory_bytes', 'Memory of buffers, outside the heap.', external)
    .histogram(
      'godwit_event_loop_delay_seconds',
      'How late the event loop was, looked at forty times a second.',
      delay.histogram,
    )
  if (limit !== undefined) text.gauge('process_max_fds', 'Files that the process may open.', limit)
  if (open !== undefined) text.gauge('process_open_fds', 'Files that it has open, sockets among them.', open)
  return text.toString()
}

/** Linux counts them in the size of that folder, from 6.2 on; reading a folder of 100,000 names would take too long. */
function openDescriptors(): number | undefined {
  return statSync('/proc/self/fd', { throwIfNoEntry: false })?.size || undefined
}

const startedAt = Math.round(Date.now() / 1000 - process.uptime())
