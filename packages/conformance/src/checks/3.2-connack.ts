import { encode } from '@godwit/protocol'
import { type Check, check } from '../check.js'
import { describe } from '../describe.js'
import { CheckFailure } from '../failure.js'
import type { Received } from '../framer.js'
import type { Peer } from '../peer.js'
import { concat, connectBytes, field, packetBytes, toHex } from '../raw-packets.js'
import type { Trial } from '../trial.js'
import { flag } from './violations.js'

export const connackChecks: readonly Check[] = [
  // Everything a server could answer sooner is waiting: stored messages, and requests that came along with the CONNECT.
  check('MQTT-3.2.0-1', async (t) => {
    const clientId = t.clientId('s')
    const earlier = await t.subscriber(t.topic('a'), 1, { clientId, cleanStart: false })
    await earlier.disconnect()
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'stored', { qos: 1 })

    const c = await t.open()
    c.send(
      t.connectPacket({ clientId, cleanStart: false }),
      { type: 'pingreq' },
      { type: 'subscribe', packetId: 9, subscriptions: [{ filter: t.topic('b'), qos: 0 }] },
      c.publishPacket(t.topic('b'), 'x', { qos: 1, packetId: 10 }),
    )
    const { packet } = await c.next('CONNACK')
    if (packet?.type !== 'connack')
      throw new CheckFailure('CONNACK before all else', `came ${packet && describe(packet)}`)
    await c.expect('pingresp')
    await c.expect('suback', { packetId: 9 })
    await c.expect('puback', { packetId: 10 })
    await c.receive({ payload: 'stored' })
  }),

  check('MQTT-3.2.2-1', async (t) => {
    const clientId = t.clientId('s')
    const stored = await t.connect({ clientId, cleanStart: false })
    await stored.disconnect()
    const c = await t.open()
    c.send(t.connectPacket({ clientId, cleanStart: true }))
    await c.expectHex('20 02 00 00')
  }),

  check('MQTT-3.2.2-2', async (t) => {
    const clientId = t.clientId('s')
    const stored = await t.connect({ clientId, cleanStart: false })
    await stored.disconnect()
    const c = await t.open()
    c.send(t.connectPacket({ clientId, cleanStart: false }))
    await c.expectHex('20 02 01 00')
  }),

  check('MQTT-3.2.2-3', async (t) => {
    const c = await t.open()
    c.send(t.connectPacket({ cleanStart: false }))
    await c.expectHex('20 02 00 00')
  }),

  // The client id has a session, so that a server which looks for it too soon would say so.
  check('MQTT-3.2.2-4', async (t) => {
    const clientId = t.clientId('s')
    const stored = await t.connect({ clientId, cleanStart: false })
    await stored.disconnect()
    const c = await t.open()
    c.sendBytes(connectBytes({ level: 2, flags: 0, payload: [field(clientId)] }))
    const { bytes } = await refusal(t, c)
    if (bytes[2] !== 0) throw new CheckFailure('Session Present 0', `came ${toHex(bytes)}`)
  }),

  check('MQTT-3.2.2-5', {
    'code 1': async (t) => {
      const c = await t.open()
      c.sendBytes(connectBytes({ level: 9, payload: [field(t.clientId())] }))
      await refusal(t, c)
      await c.expectClosed()
    },
    'code 2': async (t) => {
      const c = await t.open()
      c.send(t.connectPacket({ clientId: '', cleanStart: false }))
      await refusal(t, c)
      await c.expectClosed()
    },
  }),

  // No return code says "malformed".
  check('MQTT-3.2.2-6', {
    'a body that ends in the Keep Alive': async (t) => {
      const c = await t.open()
      c.sendBytes(packetBytes(0x10, field('MQTT'), Uint8Array.of(4, flag.cleanSession, 0)))
      await c.expectClosed()
    },
    'a second CONNECT': async (t) => {
      const c = await t.open()
      const connect = encode(t.connectPacket(), t.version)
      c.sendBytes(concat(connect, connect))
      await c.expect('connack', { reasonCode: 0 })
      await c.expectClosed()
    },
  }),
]

/** The CONNACK that refuses. That there is one, and with which code, is for other statements to prove. */
async function refusal(t: Trial, c: Peer): Promise<Received> {
  await t.settled()
  const [received] = c.heard()
  if (!received || received.bytes[3] === 0) t.skip('the server does not refuse with a CONNACK')
  return received
}
