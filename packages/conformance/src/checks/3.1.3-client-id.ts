import { encodeUtf8 } from '@godwit/protocol'
import { type Check, check, type Dialogue } from '../check.js'
import { CheckFailure } from '../failure.js'
import type { Peer } from '../peer.js'
import { connectBytes, field } from '../raw-packets.js'
import type { Trial } from '../trial.js'
import { expectSessionPresent } from './expectations.js'
import { flag, refuses } from './violations.js'

/** A CONNECT with this payload alone is not accepted. */
const refusesPayload =
  (...payload: readonly Uint8Array[]): Dialogue =>
  async (t) => {
    const c = await t.open()
    c.sendBytes(connectBytes({ payload }))
    await c.expectRefused()
  }

const illFormed = Uint8Array.of(0x61, 0xff)

export const clientIdChecks: readonly Check[] = [
  // In the wrong order the will topic would be the will message.
  check('MQTT-3.1.3-1', async (t) => {
    const watcher = await t.subscriber(t.topic('will'), 0)
    const c = await t.open()
    const { username, password } = t.connectPacket()
    const flags =
      (username === undefined ? 0 : flag.userName) | (password === undefined ? 0 : flag.password) | flag.cleanSession
    const credentials = [username, password].filter((given) => given !== undefined)
    c.sendBytes(
      connectBytes({
        flags: flags | flag.will,
        payload: [t.clientId(), t.topic('will'), 'message', ...credentials].map(field),
      }),
    )
    await c.expect('connack', { reasonCode: 0 })
    await c.drop()
    await watcher.expectPublish({ topic: t.topic('will'), payload: 'message' })
  }),

  check('MQTT-3.1.3-2', async (t) => {
    const names = ['one', 'two', 'twO']
    for (const name of names) {
      const session = { clientId: t.clientId(name), cleanStart: false }
      await (await t.subscriber(t.topic(`for-${name}`), 1, session)).disconnect()
    }
    const publisher = await t.connect()
    for (const name of names) await publisher.publish(t.topic(`for-${name}`), name, { qos: 1 })
    for (const name of names) {
      const c = await t.connect({ clientId: t.clientId(name), cleanStart: false })
      expectSessionPresent(c, true)
      await c.receive({ payload: name })
      await c.expectNothing()
    }
  }),

  check('MQTT-3.1.3-3', { 'no payload at all': refusesPayload() }),
  check('MQTT-3.1.3-4', { 'ill-formed': refusesPayload(field(illFormed)) }),

  check('MQTT-3.1.3-5', {
    // One of 62, so that it can meet another client's: nothing shorter is to be had.
    '1 byte': async (t) => {
      const c = await t.connect({ clientId: t.clientId().at(-1)! })
      await c.expectOpen()
    },
    '23 bytes, with every letter and digit': async (t) => {
      const allowed = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
      for (let i = 0; i < allowed.length; i += 14) {
        const c = await t.connect({ clientId: t.clientId(allowed.slice(i, i + 14)).padEnd(23, '0') })
        await c.expectOpen()
      }
    },
  }),

  check('MQTT-3.1.3-6', async (t) => {
    const one = await connectWithoutId(t)
    const two = await connectWithoutId(t)
    // Not unique, the second would have taken the place of the first.
    await one.expectOpen()
    await two.subscribe(t.topic('a'), 1)
    await one.publish(t.topic('a'), 'from one', { qos: 1 })
    await two.receive({ payload: 'from one', qos: 1 })
    await one.expectNothing()
  }),

  check('MQTT-3.1.3-7', async (t) => {
    const c = await t.open()
    c.send(t.connectPacket({ clientId: '', cleanStart: false }))
    await c.expectRefused()
  }),

  check('MQTT-3.1.3-8', async (t) => {
    const c = await t.open()
    c.send(t.connectPacket({ clientId: '', cleanStart: false }))
    await c.expectHex('20 02 00 02')
    await c.expectClosed()
  }),

  check('MQTT-3.1.3-9', {
    empty: async (t) => {
      const c = await t.open()
      c.send(t.connectPacket({ clientId: '', cleanStart: false }))
      await c.expectHex('20 02 00 02')
      await c.expectClosed()
    },
    // These a server may accept; if it does not, then so.
    'with other characters': acceptedOrCode2((t) => `${t.clientId()}/ü +#$`),
    'longer than 23 bytes': acceptedOrCode2((t) => t.clientId('x'.repeat(100))),
    'the longest': acceptedOrCode2((t) => t.clientId().padEnd(65535, 'x')),
  }),

  check('MQTT-3.1.3-10', { 'ill-formed': refuses(flag.will, illFormed, 'message') }),
  check('MQTT-3.1.3-11', { 'ill-formed': refuses(flag.userName, illFormed) }),
]

async function connectWithoutId(t: Trial): Promise<Peer> {
  const c = await t.open()
  c.send(t.connectPacket({ clientId: '' }))
  const { reasonCode } = await c.expect('connack')
  if (reasonCode !== 0) t.skip('the server does not allow empty client ids')
  return c
}

function acceptedOrCode2(idOf: (t: Trial) => string): Dialogue {
  return async (t) => {
    const clientId = idOf(t)
    const c = await t.open()
    c.send(t.connectPacket({ clientId }))
    const { bytes } = await c.next('CONNACK')
    if (bytes[3] === 0) return c.expectOpen()
    if (bytes[3] !== 2)
      throw new CheckFailure('return code 0 or 2', `came ${bytes[3]}, for ${encodeUtf8(clientId).length} bytes`)
    await c.expectClosed()
  }
}
