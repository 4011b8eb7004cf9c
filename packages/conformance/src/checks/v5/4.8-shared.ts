import type { PacketOf, QoS } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import type { Peer } from '../../peer.js'
import type { Trial } from '../../trial.js'
import { needing } from './offer.js'

const shared = { sharedSubscriptions: true } as const

export const sharedChecks50: readonly Check[] = [
  check50('MQTT-4.8.2-3', {
    'granted 0': needing({ ...shared, qos: 2 }, lowered(0)),
    'granted 1': needing({ ...shared, qos: 2 }, lowered(1)),
    'granted 2': needing({ ...shared, qos: 2 }, lowered(2)),
  }),

  check50(
    'MQTT-4.8.2-4',
    needing({ ...shared, qos: 2, sessions: true }, async (t) => {
      const members = await group(t, 2, false)
      const { chosen, other, publish } = await handedOut(t, members, 2)
      await chosen.peer.drop()
      await other.peer.expectNothing()
      const again = await t.connect({ clientId: chosen.clientId, cleanStart: false })
      await again.receive({ payload: 'x', qos: 2, packetId: publish.packetId })
      await other.peer.expectNothing()
    }),
  ),

  check50(
    'MQTT-4.8.2-5',
    needing({ ...shared, qos: 2 }, async (t) => {
      const members = await group(t, 2, true)
      const { chosen, other } = await handedOut(t, members, 2)
      await chosen.peer.drop()
      await other.peer.expectNothing()
      const newcomer = await t.subscriber(filterOf(t), 2)
      await newcomer.expectNothing()
      await other.peer.expectNothing()
    }),
  ),

  check50('MQTT-4.8.2-6', {
    PUBACK: needing({ ...shared, qos: 1 }, refused(1)),
    PUBREC: needing({ ...shared, qos: 2 }, refused(2)),
  }),
]

interface Member {
  readonly clientId: string
  readonly peer: Peer
}

function filterOf(t: Trial): string {
  return `$share/g/${t.topic('a')}`
}

/** Two members of one group. */
async function group(t: Trial, qos: QoS, cleanStart: boolean): Promise<readonly Member[]> {
  const members: Member[] = []
  for (const clientId of [t.clientId('one'), t.clientId('two')]) {
    members.push({ clientId, peer: await t.subscriber(filterOf(t), qos, { clientId, cleanStart }) })
  }
  return members
}

/** A message that one member got, whichever, and has not acknowledged. */
async function handedOut(
  t: Trial,
  members: readonly Member[],
  qos: QoS,
): Promise<{ chosen: Member; other: Member; publish: PacketOf<'publish'> }> {
  const publisher = await t.connect()
  await publisher.publish(t.topic('a'), 'x', { qos })
  const got: { member: Member; publish: PacketOf<'publish'> }[] = []
  for (const member of members) {
    for (const publish of await member.peer.arrived('publish')) got.push({ member, publish })
  }
  const [first] = got
  if (!first || got.length > 1) throw new CheckFailure('one PUBLISH to one member of the group', `came ${got.length}`)
  const other = members.find((member) => member !== first.member)!
  return { chosen: first.member, other, publish: first.publish }
}

function lowered(granted: QoS): Dialogue {
  return async (t) => {
    const c = await t.subscriber(filterOf(t), granted)
    const publisher = await t.connect()
    for (const qos of [0, 1, 2] as const) {
      await publisher.publish(t.topic('a'), `at ${qos}`, { qos })
      await c.receive({ payload: `at ${qos}`, qos: Math.min(qos, granted) as QoS })
    }
  }
}

function refused(qos: 1 | 2): Dialogue {
  return async (t) => {
    const members = await group(t, qos, true)
    const { chosen, other, publish } = await handedOut(t, members, qos)
    chosen.peer.send({ type: qos === 1 ? 'puback' : 'pubrec', packetId: publish.packetId ?? 0, reasonCode: 0x80 })
    await chosen.peer.expectNothing()
    await other.peer.expectNothing()
  }
}
