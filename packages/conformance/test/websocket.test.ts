import type { AddressInfo } from 'node:net'
import { allChecks, allChecks50, type CheckResult, runChecks, urlTarget } from '@godwit/conformance'
import { expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { Responder } from './responder/responder.js'

type Fault =
  | 'takes text'
  | 'chooses no subprotocol'
  | 'answers no other subprotocol than the first'
  | 'takes a frame for a packet'

/** The responder behind a WebSocket, with none of its rules broken or with one. */
async function played(fault?: Fault): Promise<readonly CheckResult[]> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: (offered) =>
      fault === 'answers no other subprotocol than the first'
        ? [...offered][0]!
        : fault !== 'chooses no subprotocol' && offered.has('mqtt') && 'mqtt',
  })
  const responder = new Responder()
  server.on('connection', (socket) => void connect(socket, responder, fault))
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  try {
    const target = urlTarget(`ws://127.0.0.1:${port}`, { patienceMs: 1000, quietMs: 100 })
    return await runChecks(target, [...allChecks, ...allChecks50], {
      only: ['MQTT-6.0.0-1', 'MQTT-6.0.0-2', 'MQTT-6.0.0-4'],
      jobs: 6,
    })
  } finally {
    for (const socket of server.clients) socket.terminate()
    server.close()
  }
}

async function connect(socket: WebSocket, responder: Responder, fault?: Fault): Promise<void> {
  const stream = await responder.open()
  stream.onData((chunk) => socket.send(chunk))
  stream.onClose(() => socket.close())
  socket.on('close', () => stream.destroy())
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary && fault !== 'takes text') return socket.close(1003)
    if (fault === 'takes a frame for a packet' && data.length < 2) return
    stream.write(data)
  })
}

const told = (results: readonly CheckResult[]): readonly string[] =>
  results.map(({ version, id, outcome }) => `${version} ${id} ${outcome}`)

const expected = (failing?: string): readonly string[] =>
  ['3.1.1', '5.0'].flatMap((version) =>
    ['1', '2', '4'].map((n) => `${version} MQTT-6.0.0-${n} ${n === failing ? 'fail' : 'pass'}`),
  )

it('passes a server that keeps the rules of WebSocket', async () => {
  expect(told(await played())).toEqual(expected())
})

it.each([
  ['takes text', '1', 'expected the connection to be closed; it stayed open'],
  [
    'takes a frame for a packet',
    '2',
    'a frame for each byte: expected CONNACK, reasonCode 0x00 (Success); nothing came',
  ],
  [
    'answers no other subprotocol than the first',
    '4',
    'expected the subprotocol mqtt to be chosen; came "godwit-unknown"',
  ],
  ['chooses no subprotocol', '4', 'expected the subprotocol mqtt to be chosen; came ""'],
] as const)('finds a server that %s', async (fault, failing, words) => {
  const results = await played(fault)
  expect(told(results)).toEqual(expected(failing))
  expect(new Set(results.filter(({ outcome }) => outcome === 'fail').map(({ detail }) => detail))).toEqual(
    new Set([words]),
  )
})
