import { once } from 'node:events'
import { createServer, connect as dialTcp } from 'node:net'
import { createBroker } from '@godwit/broker'
import { expect, test } from 'vitest'
import { connect } from '../src/index.js'
import { Authority } from './certificates.js'

/** A connected socket to that port of this machine, whatever the URL says. */
async function dialed(port: number) {
  const socket = dialTcp(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

test.each(['mqtt', 'mqtts', 'ws', 'wss'])('%s:// runs over a connection that the program makes', async (scheme) => {
  const ca = await Authority.create()
  const { cert, key } = await ca.issue('localhost')
  const broker = await createBroker({})
  const isTls = scheme.endsWith('s') && scheme !== 'ws'
  const { port } = await broker.listen({
    port: 0,
    ...(isTls && { tls: { cert, key } }),
    ...(scheme.startsWith('ws') && { websocket: {} }),
  })
  const asked: string[] = []
  const client = await connect(`${scheme}://localhost:1234`, {
    ...(isTls && { tls: { ca: ca.cert } }),
    dial: ({ host, port: wanted }) => {
      asked.push(`${host}:${wanted}`)
      return dialed(port)
    },
  })
  await client.publish('a', 'b', { qos: 1 })
  expect(asked).toEqual(['localhost:1234'])
  await client.close()
  await broker.close()
})

test('what it rejects with is the failure of the attempt', async () => {
  const failing = connect('mqtt://x', { reconnect: false, dial: () => Promise.reject(new Error('the proxy is shut')) })
  await expect(failing).rejects.toMatchObject({ code: 'network-error', message: 'mqtt://x: the proxy is shut' })
})

test('a socket that comes when the attempt is over is destroyed', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  let late: Awaited<ReturnType<typeof dialed>> | undefined
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const trying = connect('mqtt://x', {
    reconnect: false,
    attemptTimeoutMs: 20,
    dial: async () => {
      await released
      late = await dialed((server.address() as { port: number }).port)
      return late
    },
  })
  await expect(trying).rejects.toMatchObject({ code: 'attempt-timeout' })
  release()
  await expect.poll(() => late?.destroyed).toBe(true)
  server.close()
})

test.each([
  ['unix:///x', {}],
  ['mqtt://x', { openStream: () => Promise.reject(new Error()) as never }],
])('%s with %j is refused', async (url, options) => {
  await expect(connect(url, { ...options, dial: () => dialed(1) })).rejects.toMatchObject({ code: 'invalid-option' })
})
