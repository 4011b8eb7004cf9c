// `godwit broker` as two nodes of a cluster: clients come to either.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type Client, connect } from '@godwit/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority, type Pair } from '../../packages/broker/test/transports/certificates.js'
import { NatsServers, natsServer } from '../../packages/cluster/test/nats/nats-servers.js'
import { freePort } from '../../scripts/background.mjs'
import { asked, change, type Node, Nodes, serves } from './nodes.js'

const program = natsServer()

describe.skipIf(program === undefined)('any node (skipped without nats-server: scripts/fetch-nats.sh)', () => {
  let nats: NatsServers
  let nodes: Nodes
  let ca: Authority
  beforeAll(async () => {
    nats = await NatsServers.start(program!, 1)
    nodes = new Nodes('any-node', nats)
    ca = await Authority.create('Plant CA')
  })
  afterAll(async () => {
    await nodes?.close()
    await nats?.stop()
  })

  /** @param other the node beside it. @param nodePort where it listens for that. */
  async function start(
    name: string,
    other: string,
    port = 0,
    settings: object = {},
    nodePort?: number,
  ): Promise<Node & { readonly port: string }> {
    const { cert, key }: Pair = await ca.issue(`${name}.plant`)
    const forward = {
      listen: `127.0.0.1:${nodePort ?? (await freePort())}`,
      names: [`${other}.plant`],
      tls: { cert, key, ca: ca.cert },
    }
    const node = nodes.start(name, { listeners: [{ name: 'mqtt', port }], ...settings, cluster: { forward } })
    const [, at = ''] = await node.terminal.printed(/come in at 127\.0\.0\.1:(\d+)/)
    return { ...node, port: at }
  }

  it('passes clients on to the one that serves, and serves them itself when that is gone', async () => {
    const a = await start('a', 'b')
    await serves(a)
    const b = await start('b', 'a')
    const client: Client = await connect(`mqtt://127.0.0.1:${b.port}`, { clientId: 'meter', sessionExpirySeconds: 60 })
    await using readings = await client.subscribe('readings', { qos: 2 })
    const heard: string[] = []
    const hearing = (async () => {
      for await (const message of readings) heard.push(message.text())
    })()
    await client.publish('readings', 'while a serves', { qos: 2 })
    await nodes.stop(a)
    await client.publish('readings', 'while b serves', { qos: 2 })
    await serves(b)
    const again = await start('a', 'b', Number(a.port))
    const other = await connect(`mqtt://127.0.0.1:${again.port}`, { clientId: 'other' })
    await other.publish('readings', 'by a', { qos: 2 })
    await other.close()
    await nodes.stop(b)
    await serves(again)
    await client.close()
    await hearing
    expect(heard).toEqual(['while a serves', 'while b serves', 'by a'])
    await nodes.stop(again)
  })

  it('takes up limits while it follows, and has them when it serves', async () => {
    const a = await start('a', 'b')
    await serves(a)
    const b = await start('b', 'a', 0, { limits: { maxConnectBytes: 100 } })
    const long = { clientId: 'x'.repeat(200), reconnect: false } as const
    await expect(connect(`mqtt://127.0.0.1:${b.port}`, long)).rejects.toThrow()
    change(b, { limits: { maxConnectBytes: 1_000, maxClientIdBytes: 500 } })
    expect(await asked(b, 'reload')).toBe('reloaded: limits.maxConnectBytes\nreloaded: limits.maxClientIdBytes\n')
    await (await connect(`mqtt://127.0.0.1:${b.port}`, long)).close()
    await nodes.stop(a)
    await serves(b)
    await (await connect(`mqtt://127.0.0.1:${b.port}`, { ...long, clientId: 'x'.repeat(400) })).close()
    change(b, { limits: { maxConnectBytes: 100, maxClientIdBytes: 500 } })
    expect(await asked(b, 'reload')).toBe('reloaded: limits.maxConnectBytes\n')
    await expect(connect(`mqtt://127.0.0.1:${b.port}`, long)).rejects.toThrow()
    await nodes.stop(b)
  })

  it('lets go again where it cannot listen for other nodes, says so before anything else, and serves once it can', async () => {
    const nodePort = await freePort()
    const a = await start('a', 'b')
    await serves(a)
    const b = await start('b', 'a', 0, {}, nodePort)
    const other = createServer().listen(nodePort, '127.0.0.1')
    await once(other, 'listening')
    await nodes.stop(a)
    await b.terminal.printed(/it cannot serve \(cannot listen on 127\.0\.0\.1:\d+: .*in use/)
    await b.terminal.printed(/this node lets go of the log/)
    expect(b.terminal.output).not.toContain('an MQTT broker')
    await once(other.close(), 'close')
    await serves(b)
    const client = await connect(`mqtt://127.0.0.1:${b.port}`, { clientId: 'meter', reconnect: false })
    await client.close()
    await nodes.stop(b)
  })

  it('does not start where another program listens at the address for other nodes', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const listen = `127.0.0.1:${(other.address() as AddressInfo).port}`
    const c = nodes.start('c', { listeners: [{ port: 0 }], cluster: { forward: { listen } } })
    expect(await nodes.ended(c)).toBe(1)
    expect(c.terminal.errors).toMatch(
      /^godwit broker: .*c\.yaml:1:\d+: cannot listen on 127\.0\.0\.1:\d+: .*in use.*\n$/,
    )
    await once(other.close(), 'close')
  })
})
