import type { QoS } from '@godwit/protocol'
import { expirySeconds, type Peer, type PeerVersion, type Received, type Subscriber, userProperties } from './peer.js'

/** What one round of messages came to. */
export interface Round {
  /** The payloads that `subscriber` received of those `publisher` sent, in order of arrival. */
  received(publisher: Peer, subscriber: Peer): string[]
  /** What did not end or arrive as it should, one text each. */
  readonly problems: readonly string[]
}

/** How long a round may take, in milliseconds: some ten times what it needs. */
const limitMs = 30_000

/**
 * Lets every peer subscribe, then every peer publish, each on a topic of its own: with one process a peer and direction,
 * each pair is seen at work.
 */
export async function playRound(
  port: number,
  version: PeerVersion,
  peers: readonly Peer[],
  qos: QoS,
  payloads: readonly string[],
): Promise<Round> {
  const topicOf = (peer: Peer): string => `round/${qos}/${peers.indexOf(peer)}`
  const problems: string[] = []
  const note = (who: string) => (error: unknown) => void problems.push(`${who}: ${error}`)

  const subscribers = new Map<Peer, Subscriber>()
  const atWork: Promise<unknown>[] = []
  const subscribe = async (peer: Peer): Promise<void> => {
    const subscriber = await peer.subscribe({
      port,
      filter: `round/${qos}/+`,
      qos,
      count: peers.length * payloads.length,
    })
    subscribers.set(peer, subscriber)
    atWork.push(subscriber.ended.catch(note(`${peer.name} as subscriber`)))
  }
  await Promise.all(peers.map((peer) => subscribe(peer).catch(note(`${peer.name} as subscriber`))))

  for (const peer of peers) {
    atWork.push(peer.publish({ port, topic: topicOf(peer), qos, payloads }).catch(note(`${peer.name} as publisher`)))
  }
  await within(limitMs, Promise.all(atWork)).catch(note('the round'))
  for (const subscriber of subscribers.values()) await subscriber.stop()

  for (const [peer, { received }] of subscribers) {
    const other = received.find((message) => !hasProperties(message, version))
    if (other) problems.push(`${peer.name} received ${JSON.stringify(other)}`)
  }
  return {
    problems,
    received: (publisher, subscriber) =>
      (subscribers.get(subscriber)?.received ?? [])
        .filter(({ topic }) => topic === topicOf(publisher))
        .map(({ payload }) => payload),
  }
}

/** Whether a message has come with the properties that all are published with, and with none below 5.0. */
function hasProperties({ expiry, userProperties: pairs }: Received, version: PeerVersion): boolean {
  if (version < 5) return expiry === undefined && pairs === ''
  const left = expiry ?? 0 // what is left of it [MQTT-3.3.2-6]
  return left > 0 && left <= expirySeconds && pairs === userProperties.map((pair) => pair.join(':')).join(' ')
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
