import type { Clock, Logger } from '@godwit/broker'
import { JetStreamApiError, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { type NatsConnection, TimeoutError } from '@nats-io/nats-core'
import { pause } from '../pause.js'
import { EngineUnfit } from './connection.js'

/** There are not enough servers for what is to be made, or they have no room for it. */
const noPeers = 10_005
/** Error codes of JetStream while servers that have just started do not know enough of each other yet. */
const gathering: ReadonlySet<number> = new Set([noPeers, 10_008])
const againAfterMs = 250
const patienceMs = 15_000
/** While the servers have no leader a question is not answered at all: it is asked again after this, in ms. */
const answerMs = 1_000

/**
 * Calls until the servers have gathered: all of them may have been started in the same moment. @throws what it throws otherwise, or still.
 */
export async function onceGathered<T>(call: () => Promise<T>, clock: Clock, log: Logger): Promise<T> {
  const began = clock.monotonic()
  for (let hasTold = false; ; hasTold = true) {
    try {
      return await call()
    } catch (error) {
      if (!isGathering(error) || clock.monotonic() - began >= patienceMs) throw error
      if (!hasTold) log.log('info', `waits until the NATS servers have gathered (${error.message})`)
      await pause(clock, againAfterMs)
    }
  }
}

function isGathering(error: unknown): error is Error {
  if (error instanceof JetStreamApiError) return gathering.has(error.code)
  return error instanceof TimeoutError
}

/** What streams are asked for by, once the servers have gathered. @throws what they say otherwise, or still. */
export async function managerOf(connection: NatsConnection, clock: Clock, log: Logger): Promise<JetStreamManager> {
  await onceGathered(() => jetstreamManager(connection, { timeout: answerMs }), clock, log)
  return await jetstreamManager(connection, { checkAPI: false })
}

/** In one line: what JetStream does not do, why, and what to do. */
export function refusalOf(error: Error): EngineUnfit {
  const isRoomless = error instanceof JetStreamApiError && error.code === noPeers
  const remedy = isRoomless
    ? 'while the streams are made all servers must run, and have room (max_file_store)'
    : 'see that a majority of its servers runs and that the user may do it'
  return new EngineUnfit(`JetStream refuses: ${error.message}; ${remedy}`)
}
