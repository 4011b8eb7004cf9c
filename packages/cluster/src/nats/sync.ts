import { EngineUnfit } from './connection.js'

export interface Sync {
  /** Whether each acknowledged frame is on disk: as the monitoring addresses say; `unknown`: none was named, or not all answer. */
  readonly synced: boolean | 'unknown'
  /** Why it is not `true`, and what to do. */
  readonly warning?: string
}

const patienceMs = 3_000
const notKnown =
  'it is not known whether NATS has frames on disk before it acknowledges them: name the monitoring address of its servers (cluster.monitoring)'
const notSynced =
  'NATS acknowledges frames before they are on disk: set sync_interval: always in its jetstream block; a power cut would take acknowledged messages'

/**
 * Asks servers whether they sync each frame. One that does not answer may be away: the others are there for that.
 * @param addresses of their monitoring.
 * @throws EngineUnfit none of them answers.
 */
export async function syncOf(addresses: readonly string[]): Promise<Sync> {
  if (addresses.length === 0) return { synced: 'unknown', warning: notKnown }
  const silent: string[] = []
  let reason = ''
  let isUnsynced = false
  for (const [at, answer] of (await Promise.allSettled(addresses.map(isSynced))).entries()) {
    if (answer.status === 'fulfilled') isUnsynced ||= !answer.value
    else {
      silent.push(addresses[at]!)
      reason = (answer.reason as Error).message
    }
  }
  if (silent.length === addresses.length) {
    throw new EngineUnfit(`none of ${silent.join(', ')} (cluster.monitoring) answers: ${reason}`)
  }
  if (isUnsynced) return { synced: false, warning: notSynced }
  return silent.length === 0 ? { synced: true } : { synced: 'unknown', warning: notAnswered(silent) }
}

function notAnswered(silent: readonly string[]): string {
  const who = `${silent.join(', ')} (cluster.monitoring) ${silent.length === 1 ? 'does' : 'do'} not answer`
  return `${who}: it is not known whether NATS has frames on disk there before it acknowledges them`
}

async function isSynced(address: string): Promise<boolean> {
  const answer = await fetch(new URL('/jsz', address), { signal: AbortSignal.timeout(patienceMs) })
  const { config } = (await answer.json()) as { config?: { sync_always?: boolean } }
  return config?.sync_always === true
}
