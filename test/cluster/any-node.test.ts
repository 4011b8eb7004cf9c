// `godwit broker` as two nodes of a cluster: clients come to either.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, connect } from '@godwit/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority, type Pair } from '../../packages/broker/test/transports/certificates.js'
import { TestTerminal } from '../../packages/cli/test/test-terminal.js'
import { NatsServers, natsServer } from '../../packages/cluster/test/nats/nats-servers.js'

const program = natsServer()

/** A node, as a person would start it. */
interface Node {
  readonly terminal: TestTerminal
  readonly exitCode: Promise<number>
  /** Where clients come in. */
  readonly port: string
}

describe.skipIf(program === undefined)('any node (skipped without nats-server: scripts/fetch-nats.sh)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-nodes-'))
  const running: Node[] = []
  let nats: NatsServers
  let ca: Authority
  beforeAll(async () => {
    nats = await NatsServers.start(program!, 1)
    ca = await Authority.create('Plant CA')
  })
  afterAll(async () => {
    for (const node of running) await stop(node)
    await nats?.stop()
    rmSync(folder, { recursive: true })
  })

  /** @param other the node beside it. */
  async function start(name: string, other: string, port = 0): Promise<Node> {
    const { cert, key }: Pair = await ca.issue(`${name}.plant`)
    const file = join(folder, `${name}.yaml`)
    const configuration = {
      data: join(folder, name),
      listeners: [{ name: 'mqtt', port }],
      cluster: {
        name: 'any-node',
        node: name,
        servers: nats.urls,
        replicas: 1,
        leaseMs: 1_000,
        forward: {
          listen: `127.0.0.1:${await freePort()}`,
          names: [`${other}.plant`],
          tls: { cert, key, ca: ca.cert },
        },
      },
    }
    writeFileSync(file, JSON.stringify(configuration))
    const terminal = new TestTerminal()
    const exitCode = terminal.run('broker', '--config', file)
    const [, at = ''] = await terminal.printed(/come in at 127\.0\.0\.1:(\d+)/)
    const node = { terminal, exitCode, port: at }
    running.push(node)
    return node
  }

  async function stop(node: Node): Promise<void> {
    node.terminal.interrupt()
    expect(await node.exitCode).toBe(0)
    running.splice(running.indexOf(node), 1)
  }

  it('passes clients on to the one that serves, and serves them itself when that is gone', async () => {
    const a = await start('a', 'b')
    await a.terminal.printed(/an MQTT broker/) // it serves
    const b = await start('b', 'a')
    const client: Client = await connect(`mqtt://127.0.0.1:${b.port}`, { clientId: 'meter', sessionExpirySeconds: 60 })
    await using readings = await client.subscribe('readings', { qos: 2 })
    const heard: string[] = []
    const hearing = (async () => {
      for await (const message of readings) heard.push(message.text())
    })()
    await client.publish('readings', 'while a serves', { qos: 2 })
    await stop(a)
    await client.publish('readings', 'while b serves', { qos: 2 })
    await b.terminal.printed(/an MQTT broker/)
    const again = await start('a', 'b', Number(a.port))
    const other = await connect(`mqtt://127.0.0.1:${again.port}`, { clientId: 'other' })
    await other.publish('readings', 'by a', { qos: 2 })
    await other.close()
    await stop(b)
    await again.terminal.printed(/an MQTT broker/)
    await client.close()
    await hearing
    expect(heard).toEqual(['while a serves', 'while b serves', 'by a'])
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((listening) => void server.once('listening', listening))
  const { port } = server.address() as { port: number }
  await new Promise((closed) => void server.close(closed))
  return port
}
