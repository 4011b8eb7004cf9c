import { type Check, check } from '../check.js'
import { CheckFailure } from '../failure.js'
import type { Peer } from '../peer.js'
import { toHex } from '../raw-packets.js'
import { closes } from './violations.js'

export const fixedHeaderChecks: readonly Check[] = [
  // Each packet type a server sends, but PUBLISH, whose flags all have a meaning.
  check('MQTT-2.2.2-1', {
    'what it answers': async (t) => {
      const c = await t.open()
      c.send(t.connectPacket())
      await expectFirstByte(c, 0x20, 'CONNACK')
      c.send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: t.topic('a'), qos: 2 }] })
      await expectFirstByte(c, 0x90, 'SUBACK')
      c.send({ type: 'unsubscribe', packetId: 2, filters: [t.topic('b')] })
      await expectFirstByte(c, 0xb0, 'UNSUBACK')
      c.send({ type: 'pingreq' })
      await expectFirstByte(c, 0xd0, 'PINGRESP')
      c.sendPublish(t.topic('nobody'), 'x', { qos: 1, packetId: 3 })
      await expectFirstByte(c, 0x40, 'PUBACK')
      c.sendPublish(t.topic('nobody'), 'x', { qos: 2, packetId: 4 })
      await expectFirstByte(c, 0x50, 'PUBREC')
      c.send({ type: 'pubrel', packetId: 4 })
      await expectFirstByte(c, 0x70, 'PUBCOMP')
    },
    PUBREL: async (t) => {
      const c = await t.subscriber(t.topic('a'), 2)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x', { qos: 2 })
      const { packetId = 0 } = await c.expectPublish({ qos: 2 })
      c.send({ type: 'pubrec', packetId })
      await expectFirstByte(c, 0x62, 'PUBREL')
      c.send({ type: 'pubcomp', packetId })
    },
  }),

  // SUBSCRIBE, UNSUBSCRIBE and PUBREL have cases in their own chapters too.
  check('MQTT-2.2.2-2', {
    SUBSCRIBE: closes('80 06 0001 0001 61 00'),
    UNSUBSCRIBE: closes('a0 05 0001 0001 61'),
    PUBREL: closes('60 02 0007'),
    PUBACK: closes('42 02 0007'),
    PUBREC: closes('51 02 0007'),
    PUBCOMP: closes('7f 02 0007'),
    PINGREQ: closes('c1 00'),
    DISCONNECT: closes('e8 00'),
  }),
]

async function expectFirstByte(c: Peer, firstByte: number, name: string): Promise<void> {
  const { bytes } = await c.next(name)
  if (bytes[0] !== firstByte) {
    throw new CheckFailure(`${name}, whose first byte is 0x${firstByte.toString(16)}`, `came ${toHex(bytes)}`)
  }
}
