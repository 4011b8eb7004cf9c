import type { Batches } from '../batches.js'
import type { Logger } from '../log.js'
import type { Store } from '../store/store.js'
import type { Clock } from '../time/clock.js'
import type { Listener } from '../transport/transport.js'
import type { Commits } from './commits.js'

/** How long connections may take to end in order: what their clients are owed waits for its commit. */
const connectionsMs = 3_000
/** How long the store may take to write out what is gathered: longer than its own patience with a disk that refuses. */
const storeMs = 12_000
/** How long clients may take to close their side, once all has been said to them. */
const listenersMs = 3_000
/** How long the program's own listeners may take with what they are told last. */
const tellingMs = 1_000

/** What is left of a broker that stops. */
interface Left {
  readonly commits: Commits
  readonly batches: Pick<Batches, 'told'>
  readonly store: Pick<Store, 'close'>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Closes listeners and store, in bounded time whatever the disk does; connections have been told to end. What has to be given up for that
 * is told: clients whose acknowledgements were not safe are cut off without them, and will send again.
 */
export async function closeInOrder(
  listeners: readonly Listener[],
  { commits, batches, store, clock, log }: Left,
): Promise<void> {
  const listening = Promise.allSettled(listeners.map((listener) => listener.close())) // settle when their last connection is gone
  await within(connectionsMs, Promise.race([listening, commits.whenIdle()]), clock)
  const closing = store.close().catch((error: unknown) => {
    log.log('error', 'the store could not be closed in order', { error: String(error) })
  })
  if (!(await within(storeMs, closing, clock))) {
    log.log('error', 'the store did not close in time: it is left as it is', { waitedMs: storeMs })
  }
  const given = commits.abandon()
  if (given.size > 0) {
    log.log('error', 'closed before the disk had taken what these waited for; nothing of it was acknowledged', {
      clients: [...given].filter(({ clientId }) => clientId).length,
      others: [...given].filter(({ clientId }) => !clientId).length,
    })
  }
  for (const owner of given) owner.onFault()
  if (!(await within(listenersMs, listening, clock))) log.log('error', 'connections were left open', {})
  if (!(await within(tellingMs, batches.told(), clock))) {
    log.log('error', 'a listener of changes or packets was not done with them in time', { waitedMs: tellingMs })
  }
}

/** Whether it settles in time, by the broker's clock or the system's: that of a test may stand still. */
async function within(ms: number, work: Promise<unknown>, clock: Clock): Promise<boolean> {
  let cancel: () => void = () => {}
  const late = new Promise<boolean>((resolve) => {
    const timer = setTimeout(resolve, ms, false)
    const cancelTimeout = clock.timeout(ms, () => resolve(false))
    cancel = () => {
      clearTimeout(timer)
      cancelTimeout()
    }
  })
  const inTime = await Promise.race([work.then(() => true), late])
  cancel()
  return inTime
}
