// What is shown of a cluster by its owner: over HTTP, to a terminal, to Prometheus and under `$SYS`, all the same.
import { connect } from '@godwit/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NatsServers, natsServer, until } from '../../packages/cluster/test/nats/nats-servers.js'
import { freePort } from '../../scripts/background.mjs'
import { asked, type Node, Nodes, serves } from './nodes.js'

const program = natsServer()

describe.skipIf(program === undefined)(
  'what a cluster shows (skipped without nats-server: scripts/fetch-nats.sh)',
  () => {
    let nats: NatsServers
    let nodes: Nodes
    beforeAll(async () => {
      nats = await NatsServers.start(program!, 1)
      nodes = new Nodes('shown', nats)
    })
    afterAll(async () => {
      await nodes?.close()
      await nats?.stop()
    })

    it('is the same everywhere, and a hand-over asked for over HTTP ends in another owner', async () => {
      const [http, metrics] = [await freePort(), await freePort()]
      const settings = { listeners: [{ port: 0 }], metrics, sysIntervalSeconds: 1 }
      const a = nodes.start('a', settings, '--http', String(http))
      await serves(a)
      const b = nodes.start('b', { listeners: [{ port: 0 }] }, '--http', 'none')
      const token = /godwit_[\w-]{43}/.exec(await asked(a, 'token', 'create', 'me', '--role', 'admin'))?.[0]
      const ask = (path: string, method = 'GET'): Promise<Response> =>
        fetch(`http://127.0.0.1:${http}/api/v1${path}`, { method, headers: { authorization: `Bearer ${token}` } })
      await until(async () => (await ask('/cluster')).ok) // the token is taken up
      await until(async () => /^b /m.test(await asked(a, 'cluster', 'status'))) // which looks at once
      expect(await (await ask('/cluster')).json()).toMatchObject({
        ...{ cluster: 'shown', node: 'a', role: 'owner', epoch: 1, owner: 'a', held: null, problem: null },
        counters: { claims: 1, fenced: 0 },
        nodes: [{ node: 'a', role: 'owner', behindFrames: 0 }, { node: 'b' }],
      })
      expect(await (await ask('/broker')).json()).toMatchObject({ cluster: 'shown' })
      const status = await asked(a, 'cluster', 'status')
      expect(status).toMatch(/^cluster shown, epoch 1, owner a; the log ends at frame \d+\nthis node: a, owner\n/)
      expect(status).toMatch(/^b +\w+ +\d+ +[\d.]+ \w+ +00:00:\d\d /m)
      const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
      expect(text).toContain('godwit_cluster_role{role="owner"} 1\n')
      expect(text).toMatch(/^godwit_cluster_lag_bytes\{node="b"\} \d+$/m)
      expect(await underSys(a, 'cluster/nodes/b/role')).toMatch(/starting|following/)
      expect(await underSys(a, 'cluster/owner')).toBe('a')

      const { status: code } = await ask('/cluster/handover', 'POST')
      expect(code).toBe(202)
      await serves(b)
      expect(await asked(b, 'cluster', 'status')).toMatch(/^cluster shown, epoch 2, owner b;/)
      expect(a.terminal.errors).toContain('hand-over asked for')
    })
  },
)

async function underSys({ terminal }: Node, topic: string): Promise<string> {
  const [, port] = await terminal.printed(/listening on 127\.0\.0\.1:(\d+)/)
  await using client = await connect(`mqtt://127.0.0.1:${port}`)
  await using found = await client.subscribe(`$SYS/broker/${topic}`)
  for await (const message of found) return message.text()
  return 'nothing'
}
