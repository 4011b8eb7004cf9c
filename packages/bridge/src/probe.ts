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
  /** Whether the other broker is Godwit. */
  readonly isGodwit: boolean
  /** Whether it takes the user for a bridge (`features.bridgeUsers`). */
  readonly takesBridges: boolean
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
    const said = new Set(properties?.userProperties?.map(([name]) => name))
    return {
      server,
      version,
      maximumQos: properties?.maximumQos,
      retainAvailable: properties?.retainAvailable ?? true,
      isGodwit: said.has(brokerProperty),
      takesBridges: said.has(marksProperty),
      filters,
    }
  } finally {
    await client.close({ timeoutMs: 0 })
  }
}

function grantsOf(error: unknown): SubscriptionRefusedError['granted'] {
  if (error instanceof Error && 'granted' in error) return (error as SubscriptionRefusedError).granted
  throw error
}
