import { encodeUtf8, isReasonFor, type PacketOf, reason } from '@godwit/protocol'
import { type Check, check50, type Dialogue, skipped } from '../../check.js'
import { describe } from '../../describe.js'
import { CheckFailure } from '../../failure.js'
import type { Received } from '../../framer.js'
import type { Peer } from '../../peer.js'
import { toHex } from '../../raw-packets.js'
import { decodeUtf8 } from '../../text.js'
import type { Trial } from '../../trial.js'
import { expectLeftOut, type OptionalProperty } from './packet-size.js'
import { eachRefusal } from './refusals.js'

const method = 'SCRAM-SHA-256'
const clientNonce = 'godwitgodwitgodwit'

export const authenticationChecks50: readonly Check[] = [
  check50('MQTT-3.15.2-1', async (t) => {
    const { packet, bytes } = await challenge(t)
    const code = packet?.type === 'auth' ? (packet.reasonCode ?? 0) : undefined
    if (code !== undefined && isReasonFor('auth', code)) return
    throw new CheckFailure('AUTH with a reason code of its own', `came ${toHex(bytes)}`)
  }),
  check50('MQTT-3.15.2-2', leavesOut('reasonString')),
  check50('MQTT-3.15.2-3', leavesOut('userProperties')),

  check50('MQTT-4.12.0-2', async (t) => {
    const { packet, bytes } = await challenge(t)
    if (packet?.type === 'auth' && packet.reasonCode === reason.continueAuthentication) return
    throw new CheckFailure('AUTH with reason code 0x18', `came ${toHex(bytes)}`)
  }),

  check50('MQTT-4.12.0-4', async (t) => {
    const c = await t.open()
    const received = await begin(t, c)
    if (isUnsupported(received)) t.skip(`needs a server with ${method}`)
    const { packet } = received ?? {}
    const data = packet?.type === 'auth' ? packet.properties?.authenticationData : undefined
    if (received && packet?.type !== 'connack') c.send(wrongProof(data))
    // A server that knows nobody of this name may have refused already: then this is all there is to see.
    await c.expectRefused()
  }),

  check50('MQTT-4.12.0-5', async (t) => {
    const { packet, bytes } = await challenge(t)
    if (!packet) return t.skip('does not apply: what comes is no packet')
    if (packet.type === 'auth' && packet.properties?.authenticationMethod === method) return
    throw new CheckFailure(`AUTH with Authentication Method ${method}`, `came ${toHex(bytes)}`)
  }),

  check50('MQTT-4.12.0-6', {
    'a CONNECT that is accepted': async (t) => {
      const c = await t.open()
      const connack = await c.connect(t.connectPacket())
      if (connack.properties?.authenticationMethod !== undefined) {
        throw new CheckFailure('CONNACK without Authentication Method', `came ${describe(connack)}`)
      }
      await c.expectOpen()
      await c.expectNothing()
    },
    'a user name and a password': async (t) => {
      const c = await t.open()
      c.send(t.connectPacket({ username: 'godwit', password: 'not the password' }))
      await t.settled()
      expectNoMethod(c.heard())
    },
    ...eachRefusal(async (t, connect) => {
      const c = await t.open()
      const bytes = connect(t.clientId('refused'))
      if (decodeUtf8(bytes).includes('godwit-unknown')) t.skip('does not apply: this one names a method')
      c.sendBytes(bytes)
      await t.settled()
      expectNoMethod(c.heard())
    }),
  }),

  skipped('MQTT-4.12.1-2', `needs credentials of a user of ${method}`, '5.0'),
]

/** CONNECT with the first message of SCRAM (RFC 5802 section 7), and what comes of it. */
async function begin(t: Trial, c: Peer, maximumPacketSize?: number): Promise<Received | undefined> {
  const authenticationData = encodeUtf8(`n,,n=godwit,r=${clientNonce}`)
  const most = maximumPacketSize && { maximumPacketSize }
  c.send(t.connectPacket({ properties: { authenticationMethod: method, authenticationData, ...most } }))
  await t.settled()
  return c.heard()[0]
}

/** The server's AUTH that asks for the proof. */
async function challenge(t: Trial): Promise<Received> {
  const received = await begin(t, await t.open())
  if (isUnsupported(received)) t.skip(`needs a server with ${method}`)
  if (!received || received.packet?.type === 'connack') t.skip(`needs credentials of a user of ${method}`)
  return received
}

function isUnsupported(received: Received | undefined): boolean {
  if (!received) return true
  const { packet } = received
  return packet?.type === 'connack' && packet.reasonCode === reason.badAuthenticationMethod
}

function wrongProof(serverFirst: Uint8Array | undefined): PacketOf<'auth'> {
  const nonce = /r=([^,]*)/.exec(serverFirst ? decodeUtf8(serverFirst) : '')?.[1] ?? clientNonce
  const authenticationData = encodeUtf8(`c=biws,r=${nonce},p=${'A'.repeat(43)}=`)
  const properties = { authenticationMethod: method, authenticationData }
  return { type: 'auth', reasonCode: reason.continueAuthentication, properties }
}

function leavesOut(property: OptionalProperty): Dialogue {
  return async (t) => {
    await challenge(t)
    await expectLeftOut(t, property, async (maximumPacketSize) => {
      const received = await begin(t, await t.open(), maximumPacketSize)
      return received?.packet?.type === 'auth' ? received : undefined
    })
  }
}

function expectNoMethod(heard: readonly Received[]): void {
  for (const { packet, bytes } of heard) {
    const named = packet?.type === 'connack' && packet.properties?.authenticationMethod !== undefined
    if (!named && packet?.type !== 'auth') continue
    throw new CheckFailure('no AUTH and no Authentication Method in CONNACK', `came ${toHex(bytes)}`)
  }
}
