import { encodeUtf8 } from '@godwit/protocol'
import { type Check, check, type Dialogue } from '../check.js'
import { CheckFailure } from '../failure.js'
import type { Peer } from '../peer.js'
import { field, packetBytes, u16 } from '../raw-packets.js'
import { expectSame } from './expectations.js'
import { closes, flag, refuses } from './violations.js'

const payload = Uint8Array.of(0x78)
const publishBytes = (topic: string): Uint8Array => packetBytes(0x30, field(topic), payload)
const subscribeBytes = (filter: string): Uint8Array => packetBytes(0x82, u16(1), field(filter), Uint8Array.of(0))
const unsubscribeBytes = (filter: string): Uint8Array => packetBytes(0xa2, u16(1), field(filter))

const willRefused = (topic: string): Dialogue => refuses(flag.will, topic, 'message')

/** Not a filter: the connection is closed, or SUBACK says that it failed. */
const notAFilter =
  (filter: string): Dialogue =>
  async (t) => {
    const c = await t.connect()
    c.sendBytes(subscribeBytes(filter))
    await t.settled()
    if (!c.isClosed) await c.expect('suback', { packetId: 1, reasonCodes: [0x80] })
  }

/** Of these topics, the filter matches those that are marked true. */
const matches =
  (filter: string, topics: Readonly<Record<string, boolean>>): Dialogue =>
  async (t) => {
    const c = await t.subscriber(t.topic(filter))
    const publisher = await t.connect()
    for (const topic of Object.keys(topics)) await publisher.publish(t.topic(topic), 'x', { qos: 1 })
    const wanted = Object.keys(topics).filter((topic) => topics[topic])
    const received = await c.arrived('publish')
    expectSame(
      received.map(({ topic }) => topic),
      wanted.map((topic) => t.topic(topic)),
    )
  }

export const topicChecks: readonly Check[] = [
  check('MQTT-4.7.1-1', {
    'PUBLISH to #': closes(publishBytes('#')),
    'PUBLISH to +': closes(publishBytes('+')),
    'PUBLISH to a/#': closes(publishBytes('a/#')),
    'PUBLISH to +/b': closes(publishBytes('+/b')),
    'PUBLISH to a+b': closes(publishBytes('a+b')),
    'a will at a/#': willRefused('a/#'),
    'a will at +': willRefused('+'),
  }),

  check('MQTT-4.7.1-2', {
    '# is not the last character': notAFilter('a/#/b'),
    '# is not the last character, at the beginning': notAFilter('#/a'),
    '# shares its level': notAFilter('a#'),
    '# shares the last level': notAFilter('a/b#'),
    '# twice': notAFilter('a/##'),
    'what # matches': matches('a/#', {
      a: true,
      'a/': true,
      'a/b': true,
      'a/b/c/d': true,
      ab: false,
      b: false,
      'b/a': false,
    }),
  }),

  check('MQTT-4.7.1-3', {
    '+ before other characters': notAFilter('a/+b'),
    '+ after other characters': notAFilter('a+/b'),
    '+ twice': notAFilter('a/++'),
    'what a/+ matches': matches('a/+', { 'a/b': true, 'a/': true, a: false, 'a/b/c': false, 'b/b': false }),
    'what +/+ matches': matches('+/+', { 'a/b': true, '/': true, '/b': true, a: false, 'a/b/c': false }),
    'what a/+/c matches': matches('a/+/c', { 'a/b/c': true, 'a//c': true, 'a/c': false, 'a/b/b/c': false }),
    'what +/b/# matches': matches('+/b/#', { 'a/b': true, 'a/b/c/d': true, '/b/': true, 'b/a': false }),
  }),

  // A server may keep clients from publishing to such topics; its own in $SYS must be hidden all the same.
  check('MQTT-4.7.2-1', {
    '#': async (t) => {
      const topic = `$${t.topic('a')}`
      const c = await t.subscriber('#')
      const publisher = await t.connect()
      publisher.sendPublish(topic, 'x')
      await t.settled()
      expectNoDollar(c)
    },
    '+ in front': async (t) => {
      const topic = `$${t.topic('a')}`
      const rest = topic.slice(topic.indexOf('/'))
      const c = await t.subscriber(`+${rest}`)
      await c.subscribe(`+${rest}/#`)
      const exact = await t.subscriber(topic)
      const publisher = await t.connect()
      publisher.sendPublish(topic, 'x')
      await c.expectNothing()
      for (const { topic: name } of await exact.arrived('publish')) expectSame([name], [topic])
    },
    $SYS: async (t) => {
      const c = await t.subscriber('+/#')
      await t.sleep(1000)
      expectNoDollar(c)
    },
  }),

  check('MQTT-4.7.3-1', {
    'empty topic name': closes(publishBytes('')),
    'empty filter in SUBSCRIBE': closes(subscribeBytes('')),
    'empty filter in UNSUBSCRIBE': closes(unsubscribeBytes('')),
    'one character is enough': async (t) => {
      const c = await t.connect()
      c.sendBytes(unsubscribeBytes('/'))
      await c.expect('unsuback', { packetId: 1 })
    },
  }),

  check('MQTT-4.7.3-2', {
    'in a topic name': closes(publishBytes('a\0b')),
    'in a filter of SUBSCRIBE': closes(subscribeBytes('a\0b')),
    'in a filter of UNSUBSCRIBE': closes(unsubscribeBytes('a\0b')),
    'in a will topic': willRefused('a\0b'),
  }),

  check('MQTT-4.7.3-4', {
    'upper and lower case': matches('Case', { Case: true, case: false, CASE: false }),
    'composed and decomposed': matches('\u00e9', { '\u00e9': true, 'e\u0301': false, e: false }),
    'ligatures and widths': matches('ﬁ', { ﬁ: true, fi: false, ｆｉ: false }),
    'slashes at the ends': matches('/a/', { '/a/': true, 'a/': false, '/a': false, a: false, '//a/': false }),
    spaces: matches('a b', { 'a b': true, ab: false, 'a  b': false, ' a b': false, 'a b ': false }),
    'dots and percent signs': matches('a/../b', { 'a/../b': true, b: false, 'a/%2e%2e/b': false }),
    'beyond the first plane': async (t) => {
      const c = await t.subscriber(t.topic('😀'))
      const publisher = await t.connect()
      await publisher.publish(t.topic('😀'), encodeUtf8('x'), { qos: 1 })
      await c.expectPublish({ topic: t.topic('😀'), payload: 'x' })
    },
  }),
]

/** Looks at all that came for a filter that others may publish to as well, whatever else may be wrong with it. */
function expectNoDollar(c: Peer): void {
  for (const { packet } of c.heard()) {
    if (packet?.type !== 'publish' || !packet.topic.startsWith('$')) continue
    throw new CheckFailure('no topic that begins with $', `came ${packet.topic}`)
  }
}
