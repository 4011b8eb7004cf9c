import { isTopicFilter } from '@godwit/protocol'
import { CheckSkipped } from '../../failure.js'
import { decodeUtf8 } from '../../text.js'
import { type ClientCheck, clientChecks } from '../client-check.js'
import type { Heard } from '../connection.js'
import type { ClientTrial } from '../play.js'
import { hearing } from '../plays.js'
import { bodyOf, expectAll, fieldAt, heardFreely, heardOf, isText } from './evidence.js'

const publish = 3
/** PUBREL, SUBSCRIBE, UNSUBSCRIBE. */
const flagged = [6, 8, 10]

const hasItsFlags = ({ bytes }: Heard): boolean => {
  const [type, flags] = [bytes[0]! >> 4, bytes[0]! & 15]
  return type === publish || flags === (flagged.includes(type) ? 2 : 0)
}

const topicOf = ({ bytes }: Heard): Uint8Array | undefined => fieldAt(bodyOf(bytes), 0)

function expectFlags(type: 'pubrel' | 'subscribe' | 'unsubscribe' | 'disconnect', typeNumber: number) {
  return async (t: ClientTrial): Promise<void> =>
    expectAll(
      await heardOf(t, type, typeNumber),
      `${type.toUpperCase()} with the flags of its row in the table`,
      hasItsFlags,
    )
}

function expectTopics(expected: string, holds: (topic: Uint8Array) => boolean) {
  return async (t: ClientTrial): Promise<void> => {
    const packets = await heardOf(t, 'publish', publish)
    expectAll(packets, expected, (one) => holds(topicOf(one) ?? new Uint8Array()))
  }
}

/** SUBSCRIBE packets whose filters all hold. A filter that is no UTF-8 makes a packet that no decoder takes. */
function expectFilters(expected: string, holds: (filter: string) => boolean) {
  return async (t: ClientTrial): Promise<void> =>
    expectAll(await heardOf(t, 'subscribe', 8), expected, ({ packet }) => {
      return packet?.type === 'subscribe' && packet.subscriptions.every(({ filter }) => holds(filter))
    })
}

/** A topic of the bytes 61, then these. */
function publishBytesOf(...bytes: readonly number[]): string {
  const topic = [0x61, ...bytes]
  const hex = (list: readonly number[]): string => list.map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex([0x30, 2 + topic.length + 1, 0, topic.length, ...topic, 0])
}

/** PUBLISH with both QoS bits set. */
export const qos3 = hearing('36 06 0001 61 0009 00')
/** PUBREL with the flags 0000, where 0010 is prescribed. */
const wrongFlags = hearing('60 02 0009')
/** A topic that ends in half of a surrogate pair. */
export const surrogate = hearing(publishBytesOf(0xed, 0xa0, 0x80))
export const nul = hearing(publishBytesOf(0))
/** CONNECT, which no server sends. */
const fromServer = hearing('10 0d 0004 4d515454 04 02 003c 0001 61')

const closes = (play: ReturnType<typeof hearing>) => async (t: ClientTrial) => (await t.see(play)).expectClosed(0)

export const formatChecks: readonly ClientCheck[] = [
  ...clientChecks({ v4: '2.2.2-1', v5: '2.1.3-1' }, async (t) => {
    expectAll(await heardFreely(t), 'a first byte with the flags of the table', hasItsFlags)
  }),
  ...clientChecks({ v4: '3.6.1-1', v5: '3.6.1-1' }, expectFlags('pubrel', 6)),
  ...clientChecks({ v4: '3.8.1-1', v5: '3.8.1-1' }, expectFlags('subscribe', 8)),
  ...clientChecks({ v4: '3.10.1-1', v5: '3.10.1-1' }, expectFlags('unsubscribe', 10)),
  ...clientChecks({ v5: '3.14.1-1' }, expectFlags('disconnect', 14)),
  ...clientChecks({ v4: '3.3.2-1', v5: '3.3.2-1' }, expectTopics('a topic that is UTF-8', isText)),
  ...clientChecks(
    { v4: ['3.3.2-2', '4.7.1-1'], v5: ['3.3.2-2', '4.7.0-1'] },
    expectTopics('a topic without wildcards', (topic) => !/[+#]/.test(decodeUtf8(topic))),
  ),
  ...clientChecks(
    { v4: '3.8.3-1', v5: '3.8.3-1' },
    expectFilters('SUBSCRIBE with filters that are UTF-8', () => true),
  ),
  ...clientChecks({ v4: '3.8.3-3', v5: '3.8.3-2' }, async (t) => {
    expectAll(
      await heardOf(t, 'subscribe', 8),
      'SUBSCRIBE with a filter',
      ({ packet }) => packet?.type === 'subscribe' && packet.subscriptions.length > 0,
    )
  }),
  ...clientChecks({ v4: ['3.10.3-1', '3.10.3-2'], v5: ['3.10.3-1', '3.10.3-2'] }, async (t) => {
    expectAll(
      await heardOf(t, 'unsubscribe', 10),
      'UNSUBSCRIBE with filters that are UTF-8, one at least',
      ({ packet }) => packet?.type === 'unsubscribe' && packet.filters.length > 0,
    )
  }),
  ...clientChecks(
    { v4: ['4.7.1-2', '4.7.1-3'], v5: ['4.7.1-1', '4.7.1-2'] },
    expectFilters('wildcards that fill a level, # the last', (filter) => {
      return isTopicFilter(filter.replace(/^\$share\/[^/]+\//, ''))
    }),
  ),
  ...clientChecks({ v5: '3.3.4-6' }, async (t) => {
    expectAll(
      await heardOf(t, 'publish', publish),
      'PUBLISH without Subscription Identifier',
      ({ packet }) => packet?.type !== 'publish' || packet.properties?.subscriptionIdentifiers === undefined,
    )
  }),
  ...clientChecks({ v4: '2.3.1-1' }, async (t) => {
    const identified = (await heardFreely(t)).filter(({ bytes }) => [8, 10].includes(bytes[0]! >> 4))
    const sent = (await heardFreely(t)).filter(({ bytes }) => bytes[0]! >> 4 === publish && (bytes[0]! & 6) > 0)
    const at = (one: Heard): number => (bytesType(one) === publish ? 2 + (topicOf(one)?.length ?? 0) : 0)
    const all = [...identified, ...sent]
    if (all.length === 0) throw new CheckSkipped('the client sent no packet with an identifier')
    expectAll(all, 'a packet identifier that is not 0', (one) => {
      const [high = 0, low = 0] = bodyOf(one.bytes).subarray(at(one))
      return high + low > 0
    })
  }),
  ...clientChecks({ v4: '3.3.1-4', v5: '3.3.1-4' }, closes(qos3)),
  ...clientChecks({ v4: '2.2.2-2' }, closes(wrongFlags)),
  ...clientChecks({ v4: '1.5.3-1', v5: '1.5.4-1' }, closes(surrogate)),
  ...clientChecks({ v4: '1.5.3-2', v5: '1.5.4-2' }, closes(nul)),
  ...clientChecks({ v4: '4.8.0-1' }, closes(fromServer)),
]

function bytesType({ bytes }: Heard): number {
  return bytes[0]! >> 4
}
