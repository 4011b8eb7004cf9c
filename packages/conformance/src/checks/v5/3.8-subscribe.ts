import { isReasonFor, type QoS } from '@godwit/protocol'
import { type Check, check50 } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import type { Peer } from '../../peer.js'
import type { Trial } from '../../trial.js'
import { dialogueOf, dialoguesOf } from '../5.0-as-3.1.1.js'
import { expectInOrder } from '../expectations.js'
import { offerOf } from './offer.js'
import { expectLeftOut, firstOf, type OptionalProperty } from './packet-size.js'

const allQoS: readonly QoS[] = [0, 1, 2]

export const subscribeChecks50: readonly Check[] = [
  check50('MQTT-3.8.4-4', {
    'retained messages are sent again': dialogueOf(
      '3.8.4-3',
      { qos: 1, retain: true, wildcards: true },
      'retained messages are sent again',
    ),
    'no message is lost': dialogueOf('3.8.4-3', { qos: 1, inFlight: 20 }, 'no message is lost meanwhile'),
  }),

  check50('MQTT-3.8.4-7', async (t) => {
    const c = await t.connect()
    const publisher = await t.connect()
    for (const qos of allQoS) {
      const topic = t.topic(`a${qos}`)
      const granted = await c.subscribe(topic, qos)
      expectGrant(granted, qos)
      publisher.sendPublish(topic, 'x')
      if (granted <= 2) await c.expectPublish({ topic, payload: 'x' })
      else await c.expectNothing()
    }
  }),

  check50('MQTT-3.8.4-8', dialoguesOf('3.8.4-6', { qos: 2 })),

  check50('MQTT-3.9.2-1', { 'SUBACK, perhaps one that refuses': (t) => leftOut(t, 'reasonString', subscribed) }),
  check50('MQTT-3.9.2-2', { 'SUBACK, perhaps one that refuses': (t) => leftOut(t, 'userProperties', subscribed) }),

  check50('MQTT-3.9.3-2', async (t) => {
    const { wildcardSubscriptionAvailable = true, sharedSubscriptionAvailable = true } = await offerOf(t)
    const c = await t.connect()
    const names = ['a', ...(wildcardSubscriptionAvailable ? ['+/b', '#'] : []), '/'.repeat(50), 'x'.repeat(5000)]
    const shared = sharedSubscriptionAvailable ? [`$share/g/${t.topic('a')}`] : []
    for (const filter of [...names.map((name) => t.topic(name)), `$SYS/${t.topic('a')}`, ...shared]) {
      for (const qos of allQoS) expectGrant(await c.subscribe(filter, qos), qos)
    }
  }),

  check50('MQTT-3.10.4-4', async (t) => {
    const c = await t.subscriber(t.topic('a'))
    c.send({ type: 'unsubscribe', packetId: 9, filters: [t.topic('a')] })
    await c.expect('unsuback')
    await c.expectNothing()
  }),

  check50('MQTT-3.10.4-5', async (t) => {
    const c = await t.subscriber(t.topic('a'))
    for (const [packetId, name] of [
      [0x1234, 'a'],
      [65535, 'a'],
      [1, 'never'],
    ] as const) {
      c.send({ type: 'unsubscribe', packetId, filters: [t.topic(name)] })
      await c.expect('unsuback', { packetId })
    }
    await c.expectNothing()
  }),

  check50('MQTT-3.11.2-1', (t) => leftOut(t, 'reasonString', unsubscribed)),
  check50('MQTT-3.11.2-2', (t) => leftOut(t, 'userProperties', unsubscribed)),

  check50('MQTT-3.11.3-1', async (t) => {
    const c = await t.connect()
    for (const name of ['a', 'b', 'c']) await c.subscribe(t.topic(name))
    const [there = 0] = await unsubscribe(t, c, ['a'])
    const [never = 0] = await unsubscribe(t, c, ['never'])
    if (there === never) t.skip('the server answers the same whether or not there was a subscription')
    const codes = await unsubscribe(t, c, ['never', 'b', 'nor this', 'nor that', 'c'])
    expectInOrder(codes.map(String), [never, there, never, never, there].map(String))
  }),

  check50('MQTT-3.11.3-2', async (t) => {
    const c = await t.connect()
    for (const count of [1, 2, 5, 20]) {
      await c.subscribe(t.topic('0'))
      const names = Array.from({ length: count }, (_, i) => String(i))
      const codes = await unsubscribe(t, c, names)
      if (codes.length !== count || codes.some((code) => !isReasonFor('unsuback', code))) {
        throw new CheckFailure(`UNSUBACK with ${count} codes of its own`, `it has ${codes.join(', ') || 'none'}`)
      }
    }
  }),

  check50('MQTT-3.12.4-1', dialoguesOf('3.12.4-1', {})),
]

/** A grant of at most what was asked for, or a failure that SUBACK may name. */
function expectGrant(code: number, requested: QoS): void {
  if (code <= requested || (code >= 0x80 && isReasonFor('suback', code))) return
  throw new CheckFailure(`SUBACK that grants QoS ${requested} at most, or refuses`, `it has 0x${code.toString(16)}`)
}

async function unsubscribe(t: Trial, c: Peer, names: readonly string[]): Promise<readonly number[]> {
  const packetId = c.nextPacketId()
  c.send({ type: 'unsubscribe', packetId, filters: names.map((name) => t.topic(name)) })
  return (await c.expect('unsuback', { packetId })).reasonCodes
}

interface Asked {
  readonly type: 'suback' | 'unsuback'
  ask(t: Trial, c: Peer): void
}

const subscribed: Asked = {
  type: 'suback',
  ask(t, c) {
    const filters = [t.topic('a'), `$share/g/${t.topic('#')}`, `$SYS/${t.topic('a')}`]
    c.send({ type: 'subscribe', packetId: 1, subscriptions: filters.map((filter) => ({ filter, qos: 0 })) })
  },
}

const unsubscribed: Asked = {
  type: 'unsuback',
  ask(t, c) {
    c.send({ type: 'unsubscribe', packetId: 1, filters: [t.topic('never'), `$share/g/${t.topic('never')}`] })
  },
}

function leftOut(t: Trial, property: OptionalProperty, { type, ask }: Asked): Promise<void> {
  return expectLeftOut(t, property, async (maximumPacketSize) => {
    const c = await t.connect({ properties: { ...(maximumPacketSize && { maximumPacketSize }) } })
    ask(t, c)
    return firstOf(t, c, type)
  })
}
