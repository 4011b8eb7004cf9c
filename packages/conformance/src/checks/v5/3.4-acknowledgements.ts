import { isReasonFor, type PacketOf, reason } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { describe } from '../../describe.js'
import { CheckFailure } from '../../failure.js'
import type { Received } from '../../framer.js'
import type { Peer } from '../../peer.js'
import { toHex } from '../../raw-packets.js'
import type { Trial } from '../../trial.js'
import { type Needs, needing } from './offer.js'
import { expectLeftOut, firstOf, type OptionalProperty } from './packet-size.js'
import { ends, expectDisconnected } from './refusals.js'

type Acknowledgement = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'

/** Says what the server answers with such a packet, or may. */
type Cause = (t: Trial, c: Peer) => Promise<unknown> | unknown

interface Causes {
  readonly needs: Needs
  readonly by: Readonly<Record<string, Cause>>
}

/** What brings each acknowledgement; what has "perhaps" in it may be answered in another way, or not at all. */
const causes: Readonly<Record<Acknowledgement, Causes>> = {
  puback: {
    needs: { qos: 1 },
    by: {
      'nobody has subscribed': (t, c) => c.sendPublish(t.topic('nobody'), 'x', { qos: 1 }),
      'somebody has': (t, c) => publishToOneself(t, c, 1),
      'a topic of the server, perhaps': (t, c) => c.sendPublish(`$SYS/${t.topic('a')}`, 'x', { qos: 1 }),
    },
  },
  pubrec: {
    needs: { qos: 2 },
    by: {
      'nobody has subscribed': (t, c) => c.sendPublish(t.topic('nobody'), 'x', { qos: 2 }),
      'somebody has': (t, c) => publishToOneself(t, c, 2),
      'a repeat': (t, c) => {
        for (const dup of [false, true]) c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId: 7, dup })
      },
      'a topic of the server, perhaps': (t, c) => c.sendPublish(`$SYS/${t.topic('a')}`, 'x', { qos: 2 }),
    },
  },
  pubrel: {
    needs: { qos: 2 },
    by: {
      'a message that was received': pubrelForMessage,
      'no message, perhaps': (_, c) => c.send({ type: 'pubrec', packetId: 1234 }),
    },
  },
  pubcomp: {
    needs: { qos: 2 },
    by: {
      'a message that was sent': async (t, c) => {
        c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId: 7 })
        await c.expect('pubrec', { packetId: 7 })
        c.send({ type: 'pubrel', packetId: 7 })
      },
      'no message, perhaps': (_, c) => c.send({ type: 'pubrel', packetId: 1234 }),
    },
  },
}

const chapters: Readonly<Record<Acknowledgement, string>> = {
  puback: '3.4.2',
  pubrec: '3.5.2',
  pubrel: '3.6.2',
  pubcomp: '3.7.2',
}

export const acknowledgementChecks50: readonly Check[] = [
  check50('MQTT-3.6.1-1', {
    'flags 0000': endsAtPubrel('60 02 0007'),
    'flags 0011': endsAtPubrel('63 02 0007'),
    'of no message': ends('60 02 0007'),
    // The decoder knows no other flags.
    'what the server sends': needing({ qos: 2 }, ownCodes('pubrel', pubrelForMessage)),
  }),
  ...Object.entries(chapters).flatMap(([name, section]) => {
    const type = name as Acknowledgement
    return [
      check50(`MQTT-${section}-1`, eachCause(type, ownCodes)),
      check50(`MQTT-${section}-2`, eachCause(type, leavesOut('reasonString'))),
      check50(`MQTT-${section}-3`, eachCause(type, leavesOut('userProperties'))),
    ]
  }),
]

function endsAtPubrel(hex: string): Dialogue {
  return needing({ qos: 2 }, async (t) => {
    const c = await t.connect()
    c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId: 7 })
    await c.expect('pubrec', { packetId: 7 })
    c.sendHex(hex)
    await expectDisconnected(c, reason.malformedPacket, reason.protocolError)
  })
}

function eachCause(
  type: Acknowledgement,
  dialogueOf: (type: Acknowledgement, cause: Cause) => Dialogue,
): Readonly<Record<string, Dialogue>> {
  const { needs, by } = causes[type]
  return Object.fromEntries(Object.entries(by).map(([name, cause]) => [name, needing(needs, dialogueOf(type, cause))]))
}

function ownCodes(type: Acknowledgement, cause: Cause): Dialogue {
  return async (t: Trial) => {
    const received = await provoked(t, await t.connect(), type, cause)
    if (!received) t.skip(`does not apply: the server does not answer with ${type.toUpperCase()}`)
    const { packet, bytes } = received
    const code = packet && ((packet as PacketOf<Acknowledgement>).reasonCode ?? reason.success)
    if (code === undefined || !isReasonFor(type, code)) {
      const came = packet ? describe(packet) : toHex(bytes)
      throw new CheckFailure(`${type.toUpperCase()} with a reason code of its own`, `came ${came}`)
    }
  }
}

function leavesOut(property: OptionalProperty): (type: Acknowledgement, cause: Cause) => Dialogue {
  return (type, cause) => (t) =>
    expectLeftOut(t, property, async (maximumPacketSize) => {
      const c = await t.connect({ properties: { ...(maximumPacketSize && { maximumPacketSize }) } })
      return provoked(t, c, type, cause)
    })
}

async function provoked(t: Trial, c: Peer, type: Acknowledgement, cause: Cause): Promise<Received | undefined> {
  await cause(t, c)
  return firstOf(t, c, type)
}

async function publishToOneself(t: Trial, c: Peer, qos: 1 | 2): Promise<void> {
  await c.subscribe(t.topic('a'))
  c.sendPublish(t.topic('a'), 'x', { qos })
}

async function pubrelForMessage(t: Trial, c: Peer): Promise<void> {
  if ((await c.subscribe(t.topic('a'), 2)) < 2) t.skip('the server does not grant QoS 2')
  await c.publish(t.topic('a'), 'x', { qos: 2 })
  const { packetId = 0 } = await c.expectPublish({ qos: 2 })
  c.send({ type: 'pubrec', packetId })
}
