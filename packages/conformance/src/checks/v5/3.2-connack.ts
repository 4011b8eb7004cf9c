import { encode, isReasonFor } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import type { Received } from '../../framer.js'
import { concat, toHex } from '../../raw-packets.js'
import { expectSessionPresent } from '../expectations.js'
import { needing } from './offer.js'
import { eachRefusal, refusingConnack } from './refusals.js'

export const connackChecks50: readonly Check[] = [
  check50('MQTT-3.2.0-2', {
    'through a whole connection': async (t) => {
      const c = await t.subscriber(t.topic('a'))
      c.sendPublish(t.topic('a'), 'x')
      await c.expectPublish({ payload: 'x' })
      await c.unsubscribe(t.topic('a'))
      await c.expectOpen()
      await c.expectNothing()
    },
    'after a second CONNECT': async (t) => {
      const connect = t.connectPacket()
      const c = await t.open()
      c.sendBytes(concat(encode(connect, 5), encode(connect, 5)))
      await c.expect('connack', { reasonCode: 0 })
      await c.expectClosed()
    },
    ...eachRefusal(async (t, refused) => {
      const c = await t.open()
      c.sendBytes(concat(refused(t.clientId('refused')), encode(t.connectPacket(), 5)))
      await c.expectRefused()
    }),
  }),

  check50('MQTT-3.2.2-1', {
    'a new session': async (t) => {
      const c = await t.open()
      c.send(t.connectPacket())
      expectFlags(await c.next('CONNACK'))
    },
    'an earlier session': needing({ sessions: true }, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      await (await t.connect(session)).disconnect()
      const c = await t.open()
      c.send(t.connectPacket(session))
      expectFlags(await c.next('CONNACK'))
    }),
    ...eachRefusal(async (t, refused) => {
      const c = await t.open()
      c.sendBytes(refused(t.clientId('refused')))
      expectFlags(await refusingConnack(t, c))
    }),
  }),

  check50('MQTT-3.2.2-2', {
    'where a session was kept': needing({ sessions: true }, async (t) => {
      const clientId = t.clientId('s')
      await (await t.connect({ clientId, cleanStart: false })).disconnect()
      expectSessionPresent(await t.connect({ clientId, cleanStart: true }), false)
    }),
    'where one is in use': needing({ sessions: true }, async (t) => {
      const clientId = t.clientId('s')
      await t.connect({ clientId, cleanStart: false })
      expectSessionPresent(await t.connect({ clientId, cleanStart: true }), false)
    }),
    'where none was': async (t) => expectSessionPresent(await t.connect({ cleanStart: true }), false),
  }),

  check50('MQTT-3.2.2-3', {
    'where none was': async (t) => expectSessionPresent(await t.connect({ cleanStart: false }), false),
    'after DISCONNECT': needing({ sessions: true }, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      await (await t.connect(session)).disconnect()
      expectSessionPresent(await t.connect(session), true)
    }),
    'after a lost connection': needing({ sessions: true }, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      await (await t.connect(session)).drop()
      expectSessionPresent(await t.connect(session), true)
    }),
    'after a connection with Session Expiry Interval 0': expired(0),
    'after a Session Expiry Interval of 1 second': expired(1),
    'after a Session Expiry Interval that DISCONNECT set to 0': needing({ sessions: true }, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const c = await t.connect(session)
      c.send({ type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } })
      await c.expectClosed()
      expectSessionPresent(await t.connect(session), false)
    }),
  }),

  // The client id has a session, so that a server which looks for it too soon would say so.
  check50(
    'MQTT-3.2.2-6',
    eachRefusal(async (t, refused) => {
      const clientId = t.clientId('s')
      await (await t.connect({ clientId, cleanStart: false })).disconnect()
      const c = await t.open()
      c.sendBytes(refused(clientId))
      const { bytes } = await refusingConnack(t, c)
      if (bytes[2] !== 0) throw new CheckFailure('Session Present 0', `came ${toHex(bytes)}`)
    }),
  ),

  check50(
    'MQTT-3.2.2-7',
    eachRefusal(async (t, refused) => {
      const c = await t.open()
      c.sendBytes(refused(t.clientId('refused')))
      await refusingConnack(t, c)
      await c.expectClosed()
    }),
  ),

  check50('MQTT-3.2.2-8', {
    accepted: async (t) => {
      const c = await t.open()
      c.send(t.connectPacket())
      expectOwnCode(await c.next('CONNACK'))
    },
    ...eachRefusal(async (t, refused) => {
      const c = await t.open()
      c.sendBytes(refused(t.clientId('refused')))
      expectOwnCode(await refusingConnack(t, c))
    }),
  }),
]

function expired(sessionExpiryInterval: number): Dialogue {
  return async (t) => {
    const session = { clientId: t.clientId('s'), cleanStart: false }
    await (await t.connect({ ...session, properties: { sessionExpiryInterval } })).drop()
    if (sessionExpiryInterval > 0) await t.sleep(1000 * sessionExpiryInterval + 4000)
    expectSessionPresent(await t.connect(session), false)
  }
}

function expectFlags({ bytes }: Received): void {
  const flags = bytes[2] ?? 0xff
  if (bytes[0] !== 0x20 || flags > 1) throw new CheckFailure('CONNACK with flags 0 or 1', `came ${toHex(bytes)}`)
}

function expectOwnCode({ bytes }: Received): void {
  if (bytes[0] === 0x20 && isReasonFor('connack', bytes[3] ?? 0xff)) return
  throw new CheckFailure('a reason code of CONNACK', `came ${toHex(bytes)}`)
}
