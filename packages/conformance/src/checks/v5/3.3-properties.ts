import { encodeUtf8, type PropertiesOf } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import type { Peer } from '../../peer.js'
import { decodeUtf8 } from '../../text.js'
import { needing } from './offer.js'

type PublishProperties = NonNullable<PropertiesOf<'publish'>>

export const publishPropertyChecks50: readonly Check[] = [
  check50('MQTT-3.3.2-4', {
    bytes: passedOn({ payloadFormatIndicator: 0 }),
    text: passedOn({ payloadFormatIndicator: 1 }),
  }),

  // About 57 of 60 seconds are left: a server may round, and take a second for its own.
  check50('MQTT-3.3.2-6', {
    'a retained message': needing({ qos: 1, retain: true }, async (t) => {
      const publisher = await t.connect()
      const properties = { messageExpiryInterval: 60 }
      await publisher.publish(t.topic('a'), 'x', { qos: 1, retain: true, properties })
      await t.sleep(3000)
      await expectSecondsLeft(await t.subscriber(t.topic('a')), 50, 58)
    }),
    'what waited for the session': needing({ qos: 1, sessions: true }, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      await (await t.subscriber(t.topic('a'), 1, session)).disconnect()
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x', { qos: 1, properties: { messageExpiryInterval: 60 } })
      await t.sleep(3000)
      await expectSecondsLeft(await t.connect(session), 50, 58)
    }),
    'a message that did not wait': async (t) => {
      const subscriber = await t.subscriber(t.topic('a'))
      const publisher = await t.connect()
      publisher.sendPublish(t.topic('a'), 'x', { properties: { messageExpiryInterval: 60 } })
      await expectSecondsLeft(subscriber, 57, 60)
    },
  }),

  check50('MQTT-3.3.2-15', passedOn({ responseTopic: 'answers/here' })),
  check50('MQTT-3.3.2-16', {
    text: passedOn({ correlationData: encodeUtf8('number 7') }),
    'any bytes': passedOn({ correlationData: Uint8Array.of(0, 0xff, 0x80, 0) }),
  }),
  check50('MQTT-3.3.2-17', {
    'an empty pair': passedOn(withUserProperties('a 1', ' ')),
    many: passedOn(withUserProperties(...Array.from({ length: 100 }, (_, i) => `name-${i} ${i}`))),
  }),
  check50('MQTT-3.3.2-18', passedOn(withUserProperties('b 2', 'a 1', 'b 1', 'b 2'))),
  check50('MQTT-3.3.2-20', passedOn({ contentType: 'text/plain' })),
]

/** What the publisher said of the message reaches the subscriber unchanged. */
function passedOn(properties: PublishProperties): Dialogue {
  return async (t) => {
    const subscriber = await t.subscriber(t.topic('a'))
    const publisher = await t.connect()
    publisher.sendPublish(t.topic('a'), 'x', { properties })
    const { properties: came = {} } = await subscriber.receive({ payload: 'x' })
    for (const [name, value] of Object.entries(properties)) {
      const [actual, expected] = [came[name as keyof PublishProperties], value].map(inWords)
      if (actual !== expected) throw new CheckFailure(`${name} ${expected}`, `came ${actual}`)
    }
  }
}

function inWords(value: unknown): string | undefined {
  return value instanceof Uint8Array ? `${[...value]} (${decodeUtf8(value)})` : JSON.stringify(value)
}

function withUserProperties(...pairs: readonly string[]): PublishProperties {
  return { userProperties: pairs.map((pair) => pair.split(' ') as [string, string]) }
}

async function expectSecondsLeft(subscriber: Peer, least: number, most: number): Promise<void> {
  const left = (await subscriber.receive({ payload: 'x' })).properties?.messageExpiryInterval
  if (left !== undefined && left >= least && left <= most) return
  throw new CheckFailure(`a Message Expiry Interval from ${least} to ${most}`, `came ${left ?? 'none'}`)
}
