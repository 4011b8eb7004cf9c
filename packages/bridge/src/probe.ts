import { brokerProperty, marksProperty } from '@godwit/broker/bridging'
import { connect, type SubscriptionRefusedError } from '@godwit/client'
import type { BridgeOptions } from './bridge-options.js'
import { checkOptions, clientOptions, remoteClientId } from './checked-options.js'
import { TopicMap } from './topic-map.js'

/** What the other broker answered to one filter. */
export interface ProbedFilter {
  /** As it is called over there. */
  readonly filter: string
  /** What is asked for. */
  readonly qos: number
  /** 0 to 2: the QoS granted. 0x80 and above: it is refused (section 3.9.3). */
  readonly reasonCode: number
}

/** What a bridge would meet. */
export interface Probe {
  /** Without user name and password. */
  readonly server: string
  readonly version: number
  /** What CONNACK says (5.0); undefined where the standard's default holds. */
  readonly maximumQos: number | undefined
  readonly retainAvailable: boolean
  /** Whether the other broker is Godwit, and whether it takes the user for a bridge (`features.bridgeUsers`). */
  readonly peer: 'godwit' | 'takes bridges' | undefined
  readonly filters: readonly ProbedFilter[]
}

/** How long one server may take for all of it. */
const probeMs = 10_000

/**
 * Tries what a bridge would do, under a Client Identifier of its own (`-test` behind the bridge's) and without a session: connects,
 * subscribes to what would come in, and leaves. Nothing is published, so that nobody knows whether that would be taken.
 * @throws BridgeError; an error of the client when no server lets it in.
 */
export async function probe(options: BridgeOptions): Promise<Probe> {
  checkOptions(options)
  const { rules } = new TopicMap(options.name, options.topics)
  const given = clientOptions(
    { ...options, clientId: `${remoteClientId(options)}-test`, expirySeconds: 0 },
    { userProperties: [[brokerProperty, 'test']] },
  )
  const servers = [options.url].flat() as string[]
  const client = await connect(servers, {
    ...given,
    connectTimeoutMs: probeMs * servers.length,
    warnAfterMs: 0,
    reconnect: { initialMs: 500, maxMs: 1_000 },
  })
  try {
    const filters: ProbedFilter[] = []
    for (const { comesIn, remoteFilter, qos } of rules) {
      if (!comesIn) continue
      const asking = client.subscribe(remoteFilter, { qos, noLocal: true, retainHandling: 2, timeoutMs: probeMs })
      const granted = await asking.then(
        (subscription) => subscription.granted,
        (error: unknown) => grantsOf(error),
      )
      filters.push({ filter: remoteFilter, qos, reasonCode: granted[0]?.reasonCode ?? 0x80 })
    }
    const { server = '', version = 5, properties } = client.server ?? {}
    return {
      server,
      version,
      maximumQos: properties?.maximumQos,
      retainAvailable: properties?.retainAvailable ?? true,
      peer: peerOf(properties?.userProperties ?? []),
      filters,
    }
  } finally {
    await client.close({ timeoutMs: 0 })
  }
}

function peerOf(said: readonly (readonly [string, string])[]): Probe['peer'] {
  if (said.some(([name]) => name === marksProperty)) return 'takes bridges'
  return said.some(([name]) => name === brokerProperty) ? 'godwit' : undefined
}

function grantsOf(error: unknown): SubscriptionRefusedError['granted'] {
  if (error instanceof Error && 'granted' in error) return (error as SubscriptionRefusedError).granted
  throw error
}
