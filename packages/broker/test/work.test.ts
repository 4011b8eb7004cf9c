// How much the broker asks of the kernel for a message. Counted, not timed: it comes out the same on a busy machine.
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decoder, encode, type Packet, type QoS } from '@godwit/protocol'
import { beforeAll, describe, expect, test } from 'vitest'
import { BrokerProcess } from './crash/broker-process.js'
import { missingTool } from './crash/tools.js'

const missing = missingTool('strace', 'strace')

interface Traffic {
  readonly name: string
  readonly subscribers: number
  readonly qos: QoS
  /** Messages that the publisher writes at once. The next ones follow when all have come and are acknowledged. */
  readonly together: number
  readonly rounds: number
  readonly bytes: number
  /**
   * Calls on sockets for one message delivered, at most: two to four times what was seen, those of connecting included. A
   * broker that gathers nothing needs one at QoS 0 and three at QoS 1 for its writes alone.
   */
  readonly most: number
}

const traffic: readonly Traffic[] = [
  { name: 'pipe, QoS 0', subscribers: 1, qos: 0, together: 500, rounds: 20, bytes: 64, most: 0.02 },
  { name: 'pipe, QoS 1', subscribers: 1, qos: 1, together: 500, rounds: 20, bytes: 64, most: 0.05 },
  { name: 'pipe, QoS 1, 16 KB', subscribers: 1, qos: 1, together: 50, rounds: 10, bytes: 16_384, most: 1 },
  { name: 'fan-out, one at a time', subscribers: 50, qos: 0, together: 1, rounds: 100, bytes: 64, most: 1.1 },
  { name: 'fan-out, QoS 1', subscribers: 50, qos: 1, together: 20, rounds: 20, bytes: 64, most: 0.2 },
]

describe.skipIf(missing)('calls on sockets for one message', () => {
  const calls = new Map<string, number>()

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'godwit-work-'))
    const trace = join(folder, 'trace')
    const broker = new BrokerProcess(strace(trace))
    try {
      const port = await broker.open({ directory: join(folder, 'data') })
      const ports = new Map<Traffic, readonly number[]>()
      for (const kind of traffic) ports.set(kind, await run(port, kind))
      await broker.close()
      await broker.kill()
      const counted = countByPort(trace)
      for (const [{ name }, own] of ports) {
        calls.set(
          name,
          own.reduce((sum, client) => sum + (counted.get(client) ?? 0), 0),
        )
      }
    } finally {
      await broker.kill()
      rmSync(folder, { recursive: true })
    }
  }, 60_000)

  test.each(traffic)('$name: $most at most', ({ name, subscribers, together, rounds, most }) => {
    const perMessage = calls.get(name)! / (subscribers * together * rounds)
    expect(perMessage).toBeGreaterThanOrEqual(1 / together) // something must have been counted
    expect(perMessage).toBeLessThanOrEqual(most)
  })
})

function strace(output: string): readonly string[] {
  const traced = 'read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg'
  return ['strace', '-f', '-yy', '-s', '0', '-e', `trace=${traced}`, '-e', 'signal=none', '-o', output]
}

/** How many calls there were on the connection of each client, by its port. */
function countByPort(trace: string): ReadonlyMap<number, number> {
  const counted = new Map<number, number>()
  for (const [, port] of readFileSync(trace, 'latin1').matchAll(/^\d+ +\w+\(\d+<TCP:\[[^>]*->[^>]*:(\d+)\]>/gm)) {
    counted.set(Number(port), (counted.get(Number(port)) ?? 0) + 1)
  }
  return counted
}

/** @returns The ports of the clients that took part. */
async function run(port: number, { name, subscribers, qos, together, rounds, bytes }: Traffic): Promise<number[]> {
  const round = new Round()
  const crowd = await Promise.all(Array.from({ length: subscribers }, () => Client.open(port, round)))
  for (const client of crowd) await client.subscribe(name, qos)
  const publisher = await Client.open(port, round)
  const publication = {
    type: 'publish',
    topic: name,
    payload: new Uint8Array(bytes),
    qos,
    retain: false,
    dup: false,
  } as const
  const messages = Array.from({ length: together }, (_, at) =>
    encode({ ...publication, ...(qos > 0 && { packetId: at + 1 }) }, 4),
  )
  for (let count = 0; count < rounds; count++) {
    const all = round.next(together * subscribers + (qos > 0 ? together : 0))
    publisher.socket.write(Buffer.concat(messages))
    await all
  }
  const clients = [publisher, ...crowd]
  const ports = clients.map(({ socket }) => socket.localPort!)
  for (const { socket } of clients) socket.destroy()
  return ports
}

/** Resolves when as many packets have come as a round has. */
class Round {
  #missing = 0
  #all: () => void = () => {}

  next(packets: number): Promise<void> {
    this.#missing = packets
    return new Promise((resolve) => {
      this.#all = resolve
    })
  }

  arrived(): void {
    if (--this.#missing === 0) this.#all()
  }
}

/** Answers what one chunk brought in one write, as clients under load do. */
class Client {
  readonly socket: Socket
  readonly #decoder = new Decoder()
  readonly #round: Round

  static async open(port: number, round: Round): Promise<Client> {
    const client = new Client(connect({ port, host: '127.0.0.1', noDelay: true }), round)
    await once(client.socket, 'connect')
    const clientId = `c${client.socket.localPort}`
    client.socket.write(encode({ type: 'connect', version: 4, clientId, cleanStart: true, keepAliveSeconds: 0 }, 4))
    await client.#first('connack')
    client.socket.on('data', (chunk) => client.#receive(chunk))
    return client
  }

  private constructor(socket: Socket, round: Round) {
    this.socket = socket
    this.#round = round
  }

  async subscribe(filter: string, qos: QoS): Promise<void> {
    const answer = this.#first('suback')
    this.socket.write(encode({ type: 'subscribe', packetId: 1, subscriptions: [{ filter, qos }] }, 4))
    await answer
  }

  async #first(type: Packet['type']): Promise<void> {
    const decoder = new Decoder()
    const [chunk] = (await once(this.socket, 'data')) as [Uint8Array]
    decoder.push(chunk)
    expect(decoder.next()?.type).toBe(type)
  }

  #receive(chunk: Uint8Array): void {
    const answers: Uint8Array[] = []
    this.#decoder.push(chunk)
    for (let packet = this.#decoder.next(); packet; packet = this.#decoder.next()) {
      if (packet.type !== 'publish' && packet.type !== 'puback') continue
      if (packet.type === 'publish' && packet.packetId !== undefined) {
        answers.push(encode({ type: 'puback', packetId: packet.packetId }, 4))
      }
      this.#round.arrived()
    }
    if (answers.length > 0) this.socket.write(Buffer.concat(answers))
  }
}
