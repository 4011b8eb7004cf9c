import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { Auth, Packet, PropertiesOf } from '@godwit/protocol'
import { ScriptedPeer } from '@godwit/protocol/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { type Broker, createBroker, memoryPair, scramCredentials, scramSha256 } from '../src/index.js'

let broker: Broker

afterEach(() => broker.close())

/** A client of 5.0 that is connected to the broker, and has said nothing yet. */
function open(): ScriptedPeer {
  const [ours, theirs] = memoryPair()
  const peer = new ScriptedPeer((bytes) => void ours.write(bytes), { version: 5 })
  ours.on('data', (chunk: Uint8Array) => peer.hear(chunk))
  ours.once('close', () => peer.end())
  broker.handle(theirs)
  return peer
}

const credentials = scramCredentials('pencil', 4096)
const method = 'SCRAM-SHA-256'

async function withScram(): Promise<void> {
  const lookUp = (name: string): typeof credentials | undefined => (name === 'user' ? credentials : undefined)
  broker = await createBroker({ hooks: [{ authenticationMethods: { [method]: scramSha256(lookUp) } }] })
}

function connect(properties: PropertiesOf<'connect'>): Packet {
  return { type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAliveSeconds: 0, properties }
}

function auth(reasonCode: number, data: string, name = method): Auth {
  return { type: 'auth', reasonCode, properties: { authenticationMethod: name, authenticationData: Buffer.from(data) } }
}

const textOf = (packet: Packet | undefined): string =>
  Buffer.from((packet as Auth).properties?.authenticationData ?? []).toString()

/** The client's final message, and the signature it then expects of the server (RFC 5802, section 3). */
function final(password: string, serverFirst: string): { readonly text: string; readonly signature: string } {
  const { r = '', s = '', i = '' } = Object.fromEntries(serverFirst.split(',').map((part) => [part[0], part.slice(2)]))
  const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const salted = pbkdf2Sync(password, Buffer.from(s, 'base64'), Number(i), 32, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  const withoutProof = `c=biws,r=${r}`
  const message = `n=user,r=abc,${serverFirst},${withoutProof}`
  const signature = hmac(createHash('sha256').update(clientKey).digest(), message)
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!)).toString('base64')
  return {
    text: `${withoutProof},p=${proof}`,
    signature: `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`,
  }
}

const begin = connect({ authenticationMethod: method, authenticationData: Buffer.from('n,,n=user,r=abc') })

describe('extended authentication', () => {
  it('refuses a method nobody offers [MQTT-4.12.0-1]', async () => {
    await withScram()
    const peer = open()
    peer.send(connect({ authenticationMethod: 'GS2' }))
    expect(await peer.next()).toMatchObject({ type: 'connack', reasonCode: 0x8c })
    expect(await peer.next()).toBeUndefined()
  })

  it('lets in who knows the password, and shows that it knows it too', async () => {
    await withScram()
    const peer = open()
    peer.send(begin)
    const challenge = await peer.next()
    expect(challenge).toMatchObject({ type: 'auth', reasonCode: 0x18, properties: { authenticationMethod: method } })
    const { text, signature } = final('pencil', textOf(challenge))
    peer.send(auth(0x18, text))
    const connack = await peer.next()
    expect(connack).toMatchObject({ type: 'connack', reasonCode: 0, properties: { authenticationMethod: method } })
    expect(textOf(connack)).toBe(signature)

    peer.send(auth(0x19, 'n,,n=user,r=abc')) // once more, while connected [MQTT-4.12.1-1]
    const again = await peer.next()
    expect(again).toMatchObject({ type: 'auth', reasonCode: 0x18 })
    peer.send(auth(0x18, final('pencil', textOf(again)).text))
    expect(await peer.next()).toMatchObject({ type: 'auth' })
    peer.send({ type: 'pingreq' })
    expect(await peer.next()).toEqual({ type: 'pingresp' })
  })

  it.each(['n,,n=user,r=abc', 'n,,n=nobody,r=abc'])(
    'refuses who does not, after the same exchange: %s',
    async (first) => {
      await withScram()
      const peer = open()
      peer.send(connect({ authenticationMethod: method, authenticationData: Buffer.from(first) }))
      const challenge = await peer.next()
      expect(challenge).toMatchObject({ type: 'auth', reasonCode: 0x18 })
      peer.send(auth(0x18, final('wrong', textOf(challenge)).text))
      expect(await peer.next()).toMatchObject({ type: 'connack', reasonCode: 0x87, sessionPresent: false })
      expect(await peer.next()).toBeUndefined()
    },
  )

  it('ends the connection when a re-authentication fails [MQTT-4.12.1-2]', async () => {
    await withScram()
    const peer = open()
    peer.send(begin)
    peer.send(auth(0x18, final('pencil', textOf(await peer.next())).text))
    await peer.next()
    peer.send(auth(0x19, 'n,,n=user,r=abc'))
    peer.send(auth(0x18, final('wrong', textOf(await peer.next())).text))
    expect(await peer.next()).toMatchObject({ type: 'disconnect', reasonCode: 0x87 })
    expect(await peer.next()).toBeUndefined()
  })

  it('takes nothing else before it is over [MQTT-3.1.2-30]', async () => {
    await withScram()
    const peer = open()
    peer.send(begin)
    await peer.next()
    peer.send({ type: 'pingreq' })
    expect(await peer.next()).toMatchObject({ type: 'connack', reasonCode: 0x82 })
    expect(await peer.next()).toBeUndefined()
  })

  it('takes no AUTH from who named no method [MQTT-4.12.0-7], nor one with another [MQTT-4.12.0-5]', async () => {
    await withScram()
    const plain = open()
    plain.send(connect({}))
    expect(await plain.next()).toMatchObject({ type: 'connack', reasonCode: 0 })
    plain.send(auth(0x19, ''))
    expect(await plain.next()).toMatchObject({ type: 'disconnect', reasonCode: 0x82 })

    const other = open()
    other.send(begin)
    await other.next()
    other.send(auth(0x18, '', 'GS2'))
    expect(await other.next()).toMatchObject({ type: 'connack', reasonCode: 0x82 })
    expect(await other.next()).toBeUndefined()
  })
})
