// The client at every door of the broker.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '@godwit/broker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, type TlsOptions } from '../src/index.js'
import { Authority, type Pair } from './certificates.js'
import { failure } from './rig.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-doors-'))
let broker: Broker
let authority: Authority
let tls: TlsOptions
const urls = { unix: `unix://${home}/mqtt.sock`, mqtts: '', mutual: '', ws: '', wss: '' }

beforeAll(async () => {
  authority = await Authority.create()
  const server: Pair = await authority.issue('localhost')
  const mutual = { ...server, ca: authority.cert, requestCert: true }
  tls = { ca: authority.cert }
  broker = await createBroker({ sysIntervalSeconds: 0 })
  const websocket = {}
  await broker.listen({ path: join(home, 'mqtt.sock') })
  urls.mqtts = `mqtts://localhost:${(await broker.listen({ port: 0, tls: server })).port}`
  urls.mutual = `mqtts://localhost:${(await broker.listen({ port: 0, tls: mutual })).port}`
  urls.ws = `ws://localhost:${(await broker.listen({ port: 0, websocket })).port}`
  urls.wss = `wss://localhost:${(await broker.listen({ port: 0, websocket, tls: server })).port}`
})
afterAll(async () => {
  await broker.close()
  rmSync(home, { recursive: true })
})

describe.each([
  ['3.1.1', 4],
  ['5.0', 5],
] as const)('at MQTT %s', (_, version) => {
  test.each(['unix', 'mqtts', 'ws', 'wss'] as const)('%s: messages small and large arrive in order', async (door) => {
    const isEncrypted = door === 'mqtts' || door === 'wss'
    await using client = await connect(urls[door], { version, reconnect: false, ...(isEncrypted && { tls }) })
    const seen: number[] = []
    const sizes = Array.from({ length: 60 }, (_none, n) => (n % 20 === 0 ? 1_000_000 + n : n))
    const all = new Promise<void>((resolve) => {
      const onMessage = ({ payload }: { payload: Uint8Array }): void => {
        if (seen.push(payload.length) === sizes.length) resolve()
      }
      void client.subscribe(`${door}/${version}`, { qos: 2, onMessage })
    })
    await Promise.all(sizes.map((size) => client.publish(`${door}/${version}`, new Uint8Array(size), { qos: 2 })))
    await all
    expect(seen).toEqual(sizes)
  })

  test('a server that wants a certificate gets one', async () => {
    const options = { version, reconnect: false, fallback: false } as const
    await using client = await connect(urls.mutual, {
      ...options,
      tls: { ...tls, ...(await authority.issue('sensor')) },
    })
    expect(client.state).toBe('connected')
    const error = await failure(connect(urls.mutual, { ...options, tls }))
    // Before TLS 1.3 the handshake fails; there, it is over when the server sees that there is none.
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(certificate-refused|connection-closed|network-error)$/),
    })
  })
})
