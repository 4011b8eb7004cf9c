import type { Commit } from '../commit.js'
import { Metrics, type QueueTotals } from '../metrics.js'
import { MemoryQueue } from './queue.js'
import type { OutgoingSource, Recovered, SessionStore, Store } from './store.js'

const nothingToWaitFor: Commit = 0

/** Keeps nothing beyond the process: the broker's own memory is all there is, and an acknowledgement means "in memory". */
export function memoryStore(): Store {
  let totals: QueueTotals = { messages: 0, bytes: 0 }
  return {
    flushed: 0,
    latest: 0,
    full: false,
    onFlushed: () => {},
    open: async (metrics = new Metrics()): Promise<Recovered> => {
      totals = metrics.queued
      return { sessions: [], groups: [], retained: [], wills: [], queued: 0 }
    },
    session: () => new MemorySessionStore(totals),
    group: () => new MemorySessionStore(totals),
    setWill: () => nothingToWaitFor,
    setRetained: () => nothingToWaitFor,
    check: () => nothingToWaitFor,
    close: async () => {},
  }
}

/** Of sessions that end with their connection too, whatever the broker's store is. */
export class MemorySessionStore implements SessionStore {
  readonly queue: MemoryQueue
  outgoing: OutgoingSource | undefined

  constructor(totals: QueueTotals) {
    this.queue = new MemoryQueue(totals)
  }

  setSubscription(): Commit {
    return nothingToWaitFor
  }
  deleteSubscription(): Commit {
    return nothingToWaitFor
  }
  setReceived(): Commit {
    return nothingToWaitFor
  }
  connected(): Commit {
    return nothingToWaitFor
  }
  disconnected(): Commit {
    return nothingToWaitFor
  }
  delete(): Commit {
    this.queue.clear()
    return nothingToWaitFor
  }
}
