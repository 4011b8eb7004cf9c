import { Exposition } from '@godwit/broker'
import type { EventLoopDelay } from './event-loop-delay.js'

/** What Prometheus reads of the process, under the names that its own client libraries use. */
export function processText(delay: EventLoopDelay): string {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, external } = process.memoryUsage()
  return new Exposition()
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
    .toString()
}

const startedAt = Math.round(Date.now() / 1000 - process.uptime())
