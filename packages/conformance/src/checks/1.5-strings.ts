import { encodeUtf8 } from '@godwit/protocol'
import { type Check, check, type Dialogue } from '../check.js'
import { connectBytes, field, packetBytes, u16 } from '../raw-packets.js'
import type { Trial } from '../trial.js'
import { within } from './expectations.js'
import { flag } from './violations.js'

/** Each packet with a string in it, that string being the caller's bytes. */
const afterConnect: Readonly<Record<string, (text: Uint8Array) => Uint8Array>> = {
  'topic name': (text) => packetBytes(0x30, field(text), encodeUtf8('x')),
  'filter of SUBSCRIBE': (text) => packetBytes(0x82, u16(1), field(text), Uint8Array.of(0)),
  'filter of UNSUBSCRIBE': (text) => packetBytes(0xa2, u16(1), field(text)),
}

const inConnect: Readonly<Record<string, (id: Uint8Array, text: Uint8Array) => Uint8Array>> = {
  'client id': (_id, text) => connectBytes({ payload: [field(text)] }),
  'will topic': (id, text) =>
    connectBytes({ flags: flag.cleanSession | flag.will, payload: [id, field(text), field('gone')] }),
  'user name': (id, text) => connectBytes({ flags: flag.cleanSession | flag.userName, payload: [id, field(text)] }),
}

/** This string, in each place where a packet may have one, ends the connection. */
function endsConnection(text: Uint8Array): Dialogue {
  return async (t: Trial) => {
    for (const [place, packet] of Object.entries(afterConnect)) {
      const c = await t.connect()
      c.sendBytes(packet(text))
      await within(place, c.expectClosed())
    }
    for (const [place, packet] of Object.entries(inConnect)) {
      const c = await t.open()
      c.sendBytes(packet(field(t.clientId()), text))
      await within(place, c.expectRefused())
    }
  }
}

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values)

export const stringChecks: readonly Check[] = [
  check('MQTT-1.5.3-1', {
    'a byte that is never UTF-8': endsConnection(bytes(0x61, 0xff, 0x62)),
    'a continuation byte alone': endsConnection(bytes(0x80)),
    'a sequence cut short': endsConnection(bytes(0x61, 0xe2, 0x82)),
    'an overlong slash': endsConnection(bytes(0x61, 0xc0, 0xaf)),
    'a surrogate': endsConnection(bytes(0x61, 0xed, 0xa0, 0x80)),
    'a surrogate pair': endsConnection(bytes(0xed, 0xa0, 0x81, 0xed, 0xb0, 0x80)),
    'above U+10FFFF': endsConnection(bytes(0xf4, 0x90, 0x80, 0x80)),
  }),

  check('MQTT-1.5.3-2', {
    'U+0000 alone': endsConnection(bytes(0)),
    'U+0000 inside': endsConnection(bytes(0x61, 0, 0x62)),
  }),

  check('MQTT-1.5.3-3', async (t) => {
    const plain = t.topic('mark')
    const marked = `\ufeff${plain}`
    const onPlain = await t.subscriber(plain)
    const onMarked = await t.subscriber(marked)
    const publisher = await t.connect()
    await publisher.publish(marked, 'marked', { qos: 1 })
    await onMarked.expectPublish({ topic: marked, payload: 'marked' })
    await onPlain.expectNothing()

    const inside = `${plain}/\ufeff`
    await t.granted(onPlain, `${plain}/+`)
    await publisher.publish(inside, 'inside', { qos: 1 })
    await onPlain.expectPublish({ topic: inside, payload: 'inside' })
  }),
]
