import type { QoS } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import type { Peer } from '../../peer.js'
import type { Trial } from '../../trial.js'
import { dialoguesOf } from '../5.0-as-3.1.1.js'
import { expectSessionPresent } from '../expectations.js'
import { needing, offerOf } from './offer.js'
import { expectLeftOut, firstOf, type OptionalProperty } from './packet-size.js'

export const connackPropertyChecks50: readonly Check[] = [
  // What CONNACK does not rule out, the server takes.
  check50('MQTT-3.2.2-9', async (t) => {
    const { maximumQos = 2 } = await offerOf(t)
    const c = await t.connect()
    for (let qos = 0; qos <= maximumQos; qos++) await c.publish(t.topic('a'), 'x', { qos: qos as QoS })
    await c.expectOpen()
  }),

  check50('MQTT-3.2.2-10', async (t) => {
    const maximumQos = await limitedQos(t)
    const c = await t.connect()
    for (const qos of [0, 1, 2] as const) {
      const granted = await c.subscribe(t.topic(`${qos}`), qos)
      if (granted > maximumQos) throw new CheckFailure(`QoS ${maximumQos} at most`, `it grants ${granted}`)
    }
  }),

  check50('MQTT-3.2.2-12', async (t) => {
    const qos = ((await limitedQos(t)) + 1) as QoS
    const c = await t.open()
    c.send(t.connectPacket({ will: { topic: t.topic('will'), payload: 'gone', qos } }))
    await c.expectRefused()
  }),

  check50('MQTT-3.2.2-13', async (t) => {
    const { retainAvailable = true } = await offerOf(t)
    if (retainAvailable) t.skip('does not apply: the server keeps retained messages')
    const c = await t.open()
    c.send(t.connectPacket({ will: { topic: t.topic('will'), payload: 'gone', retain: true } }))
    await c.expectRefused()
  }),

  check50('MQTT-3.1.3-6', dialoguesOf('3.1.3-6', { qos: 1 })),

  check50('MQTT-3.1.3-7', {
    'another client takes over': async (t) => {
      const { c, clientId } = await assigned(t)
      await t.connect({ clientId })
      await c.expectClosed()
    },
    'the session goes on': needing({ sessions: true }, async (t) => {
      const { c, clientId } = await assigned(t, 'kept')
      await c.drop()
      expectSessionPresent(await t.connect({ clientId, cleanStart: false }), true)
    }),
  }),

  check50('MQTT-3.2.2-16', {
    'for connections side by side': async (t) => {
      expectUnused([await assigned(t), await assigned(t), await assigned(t)])
    },
    'for sessions that are kept': needing({ sessions: true }, async (t) => {
      const first = await assigned(t, 'kept')
      await first.c.drop()
      expectUnused([first, await assigned(t, 'kept')])
    }),
  }),

  check50('MQTT-3.2.2-19', {
    accepted: acceptedWithout('reasonString'),
    refused: refusedWithout('reasonString'),
  }),
  check50('MQTT-3.2.2-20', {
    accepted: acceptedWithout('userProperties'),
    refused: refusedWithout('userProperties'),
  }),

  check50('MQTT-3.2.2-22', {
    'of 2 seconds': async (t) => {
      const c = await keepingAlive(t, 2)
      await t.sleep(2000)
      await c.expectNothing() // it has one and a half times as long
      await c.expectClosed({ withinMs: 1000 + 6000 })
    },
    off: async (t) => {
      const c = await keepingAlive(t, 0)
      await t.sleep(10_000)
      await c.expectOpen()
    },
  }),
]

/** The Maximum QoS of a server that has one. */
async function limitedQos(t: Trial): Promise<number> {
  const { maximumQos } = await offerOf(t)
  if (maximumQos === undefined) t.skip('does not apply: the server offers every QoS')
  return maximumQos
}

interface Assigned {
  readonly c: Peer
  readonly clientId: string
}

/** A client without an identifier, and the one the server gives it. */
async function assigned(t: Trial, session?: 'kept'): Promise<Assigned> {
  const c = await t.open()
  const properties = { sessionExpiryInterval: session ? 3600 : 0 }
  c.send(t.connectPacket({ clientId: '', cleanStart: !session, properties }))
  const connack = await c.expect('connack')
  if (connack.reasonCode !== 0) t.skip('does not apply: the server wants a client id')
  const clientId = connack.properties?.assignedClientIdentifier
  if (!clientId) throw new CheckFailure('CONNACK with Assigned Client Identifier', 'it has none')
  if (session) t.sessions.add(clientId)
  expectSessionPresent(connack, false)
  return { c, clientId }
}

function expectUnused(list: readonly Assigned[]): void {
  const ids = list.map(({ clientId }) => clientId)
  if (new Set(ids).size < ids.length) throw new CheckFailure('identifiers nobody has', `came ${ids.join(', ')}`)
}

function acceptedWithout(property: OptionalProperty): Dialogue {
  return (t) =>
    expectLeftOut(t, property, async (maximumPacketSize) => {
      const c = await t.open()
      c.send(t.connectPacket({ properties: { ...(maximumPacketSize && { maximumPacketSize }) } }))
      return firstOf(t, c, 'connack')
    })
}

function refusedWithout(property: OptionalProperty): Dialogue {
  return (t) =>
    expectLeftOut(t, property, async (maximumPacketSize) => {
      const c = await t.open()
      const authenticationMethod = 'godwit-unknown'
      c.send(t.connectPacket({ properties: { authenticationMethod, ...(maximumPacketSize && { maximumPacketSize }) } }))
      return firstOf(t, c, 'connack')
    })
}

async function keepingAlive(t: Trial, keepAliveSeconds: number): Promise<Peer> {
  const c = await t.open()
  const { properties } = await c.connect(t.connectPacket({ keepAliveSeconds }))
  const others = properties?.serverKeepAlive
  if (others !== undefined) t.skip(`does not apply: the server's Keep Alive of ${others} seconds is in force`)
  return c
}
