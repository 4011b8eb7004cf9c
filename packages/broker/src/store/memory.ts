import type { Commit } from '../commit.js'
import { MemoryQueue } from './queue.js'
import type { OutgoingSource, Recovered, SessionStore, Store } from './store.js'

const nothingToWaitFor: Commit = 0

/**
 * Keeps nothing beyond the process: the broker's own memory is all there is, and an acknowledgement means "in memory".
 * Sessions that end with their connection use it whatever the broker's store is.
 */
export function memoryStore(): Store {
  return {
    flushed: 0,
    latest: 0,
    full: false,
    onFlushed: () => {},
    open: async (): Promise<Recovered> => ({ sessions: [], groups: [], retained: [], wills: [], queued: 0 }),
    session: () => new MemorySessionStore(),
    group: () => new MemorySessionStore(),
    setWill: () => nothingToWaitFor,
    setRetained: () => nothingToWaitFor,
    close: async () => {},
  }
}

class MemorySessionStore implements SessionStore {
  readonly queue: MemoryQueue = new MemoryQueue()
  outgoing: OutgoingSource | undefined

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
    return nothingToWaitFor
  }
}
