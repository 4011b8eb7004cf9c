import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { expect } from 'vitest'
import { type Broker, type BrokerOptions, type ClientInfo, createBroker } from '../../src/index.js'
import { settled } from '../rig.js'
import { connectPacket, TestClient } from '../test-client.js'

/** A broker that keeps what it logged and who came in. */
export interface StartedBroker {
  readonly broker: Broker
  readonly log: string[]
  readonly clients: ClientInfo[]
}

export async function startBroker(options: BrokerOptions = {}): Promise<StartedBroker> {
  const log: string[] = []
  const clients: ClientInfo[] = []
  const broker = await createBroker({
    sysIntervalSeconds: 0,
    log: { log: (level, message, fields) => void log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`) },
    ...options,
    hooks: [{ onConnect: (client) => void clients.push(client) }, ...(options.hooks ?? [])],
  })
  return { broker, log, clients }
}

/** Says CONNECT over a stream and hears that it is accepted. */
export async function greet(stream: Duplex, clientId = 'c'): Promise<TestClient> {
  const client = new TestClient(stream, clientId, settled).read()
  client.send(connectPacket(clientId))
  expect(await client.next()).toEqual(['connack 0'])
  return client
}

export async function openTcp(port: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket.on('error', () => {})
}

/** Everything the other side says until it closes. */
export async function lastWords(socket: Duplex): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  await new Promise((closed) => void socket.on('close', closed)) // a reset is an end like any other
  return text
}
