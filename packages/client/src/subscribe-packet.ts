import type { PacketOf, QoS, Subscription } from '@godwit/protocol'
import type { ActiveSubscription } from './subscription.js'

/** A filter and those who want it. */
interface WantedFilter {
  readonly filter: string
  readonly identifier: number
  readonly subscribers: ReadonlySet<ActiveSubscription<string>>
}

/** The SUBSCRIBE for filters of one identifier; below 5.0 the encoder leaves out what is new there. */
export function subscribePacket(
  packetId: number,
  wanted: readonly WantedFilter[],
  identified: boolean,
): PacketOf<'subscribe'> {
  const latest = [...(wanted[0]?.subscribers ?? [])].at(-1)
  const userProperties = latest?.options.properties?.userProperties
  return {
    type: 'subscribe',
    packetId,
    subscriptions: wanted.map(termsOf),
    properties: {
      ...(identified && wanted[0] && { subscriptionIdentifiers: [wanted[0].identifier] }),
      ...(userProperties && { userProperties }),
    },
  }
}

/** The server has one subscription a filter: its terms suit all who want it as well as one can. */
function termsOf({ filter, subscribers }: WantedFilter): Subscription {
  const all = [...subscribers].map((subscription) => subscription.options)
  return {
    filter,
    qos: Math.max(...all.map(({ qos = 0 }) => qos)) as QoS,
    noLocal: all.every(({ noLocal = false }) => noLocal),
    retainAsPublished: all.some(({ retainAsPublished = false }) => retainAsPublished),
    retainHandling: Math.min(...all.map(({ retainHandling = 0 }) => retainHandling)) as 0 | 1 | 2,
  }
}
