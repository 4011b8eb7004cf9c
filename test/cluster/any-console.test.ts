// The HTTP API and the console of two nodes: whoever serves, both are there.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NatsServers, natsServer, until } from '../../packages/cluster/test/nats/nats-servers.js'
import { freePort } from '../../scripts/background.mjs'
import { asked, Nodes, serves } from './nodes.js'

const program = natsServer()

describe.skipIf(program === undefined)(
  'the console of any node (skipped without nats-server: scripts/fetch-nats.sh)',
  () => {
    let nats: NatsServers
    let nodes: Nodes
    beforeAll(async () => {
      nats = await NatsServers.start(program!, 1)
      nodes = new Nodes('consoles', nats)
    })
    afterAll(async () => {
      await nodes?.close()
      await nats?.stop()
    })

    it('says at a node that follows who serves, lets in there, and is that of a broker once the node serves', async () => {
      const ports = { a: await freePort(), b: await freePort() }
      const at = (port: number) => ({
        listeners: [{ port: 0 }],
        metrics: port,
        http: { publicUrl: `http://localhost:${port}` },
      })
      const a = nodes.start('a', at(ports.a), '--http', String(ports.a))
      await serves(a)
      const b = nodes.start('b', at(ports.b), '--http', String(ports.b))
      await b.terminal.printed(/console and HTTP API {2}http:\/\/localhost:\d+\n/)
      const there = `http://localhost:${ports.b}`
      expect((await fetch(`${there}/healthz`)).status).toBe(200)
      expect((await fetch(`${there}/readyz`)).status).toBe(503)
      expect(await (await fetch(`${there}/metrics`)).text()).toContain('godwit_cluster_owner 0\n')

      const [, code = ''] = /#login=([\w-]+)/.exec(await asked(b, 'console')) ?? []
      const login = await fetch(`${there}/api/v1/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      })
      const [cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';')
      const ask = (path: string): Promise<Response> => fetch(`${there}/api/v1${path}`, { headers: { cookie } })
      const detailOf = async (path: string): Promise<string> => {
        const { status, code: name, detail } = (await (await ask(path)).json()) as Record<string, unknown>
        return `${status} ${name}: ${detail}`
      }
      await until(async () => (await detailOf('/clients')).includes(' at http'))
      expect(await detailOf('/clients')).toBe(
        `503 not-serving: node b follows, and node a serves: ask it at http://localhost:${ports.a}`,
      )
      expect(await (await ask('/cluster')).json()).toMatchObject({ node: 'b', owner: 'a', nodes: [{ node: 'a' }, {}] })
      expect(await (await ask('/log')).text()).toContain('this node is following')
      expect((await ask('/configuration')).status).toBe(200)

      await nodes.stop(a)
      await serves(b)
      expect((await fetch(`${there}/readyz`)).status).toBe(200)
      expect(await (await ask('/clients')).json()).toMatchObject({ items: [] })
      expect(await (await ask('/self')).json()).toMatchObject({ name: 'login link 1' })
    })
  },
)
