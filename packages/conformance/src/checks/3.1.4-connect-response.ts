import { encode } from '@godwit/protocol'
import { type Check, check, type Dialogue } from '../check.js'
import { type ConnectParts, concat, connectBytes, field, packetBytes } from '../raw-packets.js'
import { expectSessionPresent } from './expectations.js'
import { flag } from './violations.js'

/** Closed with no CONNACK. */
function closed(parts: (id: Uint8Array) => ConnectParts): Dialogue {
  return async (t) => {
    const c = await t.open()
    const { flags = 0, ...others } = parts(field(t.clientId()))
    c.sendBytes(connectBytes({ flags: flags | flag.cleanSession, ...others }))
    await c.expectClosed()
  }
}

export const connectResponseChecks: readonly Check[] = [
  check('MQTT-3.1.4-1', {
    'flags in the fixed header': closed((id) => ({ firstByte: 0x11, payload: [id] })),
    'the reserved connect flag': closed((id) => ({ flags: flag.reserved, payload: [id] })),
    'Will QoS 3': closed((id) => ({
      flags: flag.will | flag.willQoS1 | flag.willQoS2,
      payload: [id, field('topic'), field('message')],
    })),
    'Will QoS without a will': closed((id) => ({ flags: flag.willQoS1, payload: [id] })),
    'Will Retain without a will': closed((id) => ({ flags: flag.willRetain, payload: [id] })),
    'a will with no fields': closed((id) => ({ flags: flag.will, payload: [id] })),
    'a password without a user name': closed((id) => ({ flags: flag.password, payload: [id, field('secret')] })),
    'a user name that is not there': closed((id) => ({ flags: flag.userName, payload: [id] })),
    'no client id': closed(() => ({ payload: [] })),
    'an ill-formed client id': closed(() => ({ payload: [field(Uint8Array.of(0x61, 0xff))] })),
    'bytes after the last field': closed((id) => ({ payload: [id, Uint8Array.of(0xde, 0xad)] })),
    'nothing but a fixed header': async (t) => {
      const c = await t.open()
      c.sendHex('10 00')
      await c.expectClosed()
    },
    'a body that ends in the flags': async (t) => {
      const c = await t.open()
      c.sendBytes(packetBytes(0x10, field('MQTT'), Uint8Array.of(4, 2)))
      await c.expectClosed()
    },
  }),

  check('MQTT-3.1.4-2', async (t) => {
    const clientId = t.clientId('same')
    const older = await t.connect({ clientId })
    const newer = await t.connect({ clientId })
    await older.expectClosed()
    await newer.expectOpen()
  }),

  check('MQTT-3.1.4-3', {
    'Clean Session 1 takes over a stored session': async (t) => {
      const clientId = t.clientId('same')
      const older = await t.subscriber(t.topic('a'), 1, { clientId, cleanStart: false })
      const newer = await t.connect({ clientId })
      await older.expectClosed()
      expectSessionPresent(newer, false)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x', { qos: 1 })
      await newer.expectNothing()
    },
    'Clean Session 0 takes over a stored session': async (t) => {
      const clientId = t.clientId('same')
      const older = await t.subscriber(t.topic('a'), 1, { clientId, cleanStart: false })
      const newer = await t.connect({ clientId, cleanStart: false })
      await older.expectClosed()
      expectSessionPresent(newer, true)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x', { qos: 1 })
      await newer.receive({ payload: 'x', qos: 1 })
    },
  }),

  check('MQTT-3.1.4-4', {
    'the plainest': async (t) => {
      const c = await t.open()
      c.send(t.connectPacket())
      await c.expectHex('20 02 00 00')
      await c.expectOpen()
    },
    'with a will': async (t) => {
      const c = await t.open()
      c.send(t.connectPacket({ will: { topic: t.topic('will'), payload: '', qos: 2 }, keepAliveSeconds: 65535 }))
      await c.expectHex('20 02 00 00')
      await c.expectOpen()
    },
  }),

  // The refused CONNECT and what follows travel in one write, so that the server has them before it closes.
  check('MQTT-3.1.4-5', async (t) => {
    const topic = t.topic('a')
    const watcher = await t.subscriber(topic, 1)
    const c = await t.open()
    t.retained.add(topic)
    const refused = connectBytes({ level: 2, payload: [field(t.clientId('old'))] })
    const accepted = encode(t.connectPacket(), t.version)
    const publish = encode(c.publishPacket(topic, 'x', { qos: 1, retain: true }), t.version)
    c.sendBytes(concat(refused, accepted, publish))
    await c.expectRefused()
    await watcher.expectNothing()
  }),
]
