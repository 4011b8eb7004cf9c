// Durable sessions of other people's clients through the loss of the node that serves, and through a hand-over.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { NatsServers, natsServer, until } from '../../packages/cluster/test/nats/nats-servers.js'
import { Background, freePort } from '../../scripts/background.mjs'
import { type LastingClient, lastingClients } from './lasting-clients.js'
import { needs } from './needs.js'

const program = natsServer()
const nats = { missing: program === undefined ? 'there is no nats-server: scripts/fetch-nats.sh' : undefined }
const command = fileURLToPath(new URL('../../packages/cli/bin/godwit.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'godwit-fail-over-'))
const ending: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const end of ending.reverse()) await end()
  rmSync(folder, { recursive: true, force: true })
})

const serves = /an MQTT broker/

/** A node in a process of its own, which can be killed and begun again. */
class NodeProcess {
  readonly #file: string
  readonly #data: string
  #running: Background | undefined

  private constructor(file: string, data: string) {
    this.#file = file
    this.#data = data
  }

  static async of(name: string, port: number, servers: readonly string[]): Promise<NodeProcess> {
    const data = join(folder, name)
    const forward = { listen: `127.0.0.1:${await freePort()}` }
    const cluster = { name: 'fail-over', node: name, servers, replicas: 1, leaseMs: 1_000, forward }
    const file = `${data}.yaml`
    writeFileSync(
      file,
      JSON.stringify({ data, listeners: [{ name: 'mqtt', port }], http: { listen: 'none' }, cluster }),
    )
    const node = new NodeProcess(file, data)
    ending.push(() => node.end('SIGKILL'))
    return node
  }

  async start(ready: RegExp): Promise<void> {
    this.#running = await Background.start([process.execPath, command, 'broker', '--config', this.#file], { ready })
  }

  /** Until it serves, counted from its start. */
  async serves(times = 1): Promise<void> {
    await until(() => (this.#running?.output.split(serves).length ?? 0) > times, 30_000)
  }

  async handOver(): Promise<void> {
    const asking = await Background.start([process.execPath, command, 'cluster', 'handover', '--data', this.#data])
    await asking.success()
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.#running?.child.kill(signal)
    await this.#running?.ended
  }
}

test('sessions are present, and nothing is lost, when the owner is killed and when it hands over', async (context) => {
  needs(context, nats, ...lastingClients)
  const servers = await NatsServers.start(program!, 1)
  ending.push(() => servers.stop())
  const port = await freePort() // of b, which passes its clients on while it does not serve
  const [a, b] = [
    await NodeProcess.of('a', await freePort(), servers.urls),
    await NodeProcess.of('b', port, servers.urls),
  ]
  await a.start(serves)
  await b.start(/Node b of the cluster/)

  const starting = lastingClients.flatMap(({ start }) => [start(port, 4), start(port, 5)])
  const clients = await Promise.all(starting)
  ending.push(() => Promise.all(clients.map((client) => client.stop())))
  for (const client of clients) client.begin() // now that all listen
  await goneOn(clients)
  await a.end('SIGKILL')
  await b.serves()
  await goneOn(clients)
  await a.start(/Node a of the cluster/)
  await b.handOver()
  await a.serves()
  await goneOn(clients)

  await Promise.all(clients.map((client) => client.quiet()))
  const missing = (): string[] =>
    clients.flatMap((subscriber) =>
      clients
        .filter(({ name, acked }) => !subscriber.received(name).includes(acked))
        .map(({ name, acked }) => `${subscriber.name} has not ${acked} of ${name}`),
    )
  await until(() => missing().length === 0, 20_000).catch(() => expect(missing()).toEqual([]))
  for (const subscriber of clients) {
    for (const { name, acked, isOnce } of clients) {
      const received = subscriber.received(name)
      const heard = isOnce && subscriber.isOnce ? received : [...new Set(received)]
      expect([subscriber.name, name, heard]).toEqual([subscriber.name, name, numbersTo(acked)])
    }
    if (subscriber.connected.length === 0) continue // mosquitto_sub does not tell
    const [first, ...later] = subscriber.connected
    expect([subscriber.name, first, later.length >= 2, later.every(Boolean)]).toEqual([
      subscriber.name,
      false,
      true,
      true,
    ])
  }
}, 120_000)

/** Until each has been acknowledged some more. */
async function goneOn(clients: readonly LastingClient[]): Promise<void> {
  const from = new Map(clients.map((client) => [client, client.acked]))
  const stuck = (): string[] =>
    clients
      .filter((client) => client.acked < from.get(client)! + 5)
      .map(({ name, acked }) => `${name} stays at ${acked}`)
  await until(() => stuck().length === 0, 20_000).catch(() => expect(stuck()).toEqual([]))
}

function numbersTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, at) => at + 1)
}
