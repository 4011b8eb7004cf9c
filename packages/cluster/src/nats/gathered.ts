import type { Clock, Logger } from '@godwit/broker'
import { JetStreamApiError } from '@nats-io/jetstream'
import { pause } from '../pause.js'

/** Error codes of JetStream while servers that have just started do not know enough of each other yet. */
const gathering: ReadonlySet<number> = new Set([10_005, 10_008])
const againAfterMs = 250
const patienceMs = 15_000

/**
 * Calls until the servers have gathered: all of them may have been started in the same moment. @throws what it throws otherwise, or still.
 */
export async function onceGathered<T>(call: () => Promise<T>, clock: Clock, log: Logger): Promise<T> {
  const began = clock.monotonic()
  for (let hasTold = false; ; hasTold = true) {
    try {
      return await call()
    } catch (error) {
      const isGathering = error instanceof JetStreamApiError && gathering.has(error.code)
      if (!isGathering || clock.monotonic() - began >= patienceMs) throw error
      if (!hasTold) log.log('info', `waits until the NATS servers have gathered (${error.message})`)
      await pause(clock, againAfterMs)
    }
  }
}
