import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '@godwit/broker'
import { lmdbStore, openCopy } from '@godwit/broker/store/lmdb'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ClusterNode, frameVersion, jetstreamLog, type OpenNodeOptions, openNode } from '../../src/index.js'
import { NatsServers, natsServer, until } from './nats-servers.js'

const program = natsServer()

describe.skipIf(program === undefined)(
  'nodes of a cluster (skipped without nats-server: scripts/fetch-nats.sh)',
  () => {
    let nats: NatsServers
    let folder: string
    let clusters = 0
    const open: { readonly node: ClusterNode; close(): Promise<void> }[] = []
    beforeAll(async () => {
      nats = await NatsServers.start(program!)
    })
    afterAll(() => nats?.stop())
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'godwit-nodes-'))
      clusters++
    })
    afterEach(async () => {
      lines.length = 0
      for (const { close } of open.splice(0)) await close()
      rmSync(folder, { recursive: true })
    })

    const lines: string[] = []
    /** The broker of each node that serves. */
    const serving = new Map<string, Broker>()

    async function start(name: string, options: Partial<OpenNodeOptions> = {}): Promise<ClusterNode> {
      const server = await jetstreamLog({ name: `t${clusters}`, servers: nats.urls, logBytes: 50_000_000 })
      const node = openNode({
        node: name,
        server,
        directory: join(folder, name),
        leaseMs: 1_000,
        log: { log: (level, text, fields) => void lines.push(`${level} ${text} ${JSON.stringify(fields)}`) },
        serve: async (broker) => void serving.set(name, broker),
        ...options,
      })
      const close = async (): Promise<void> => {
        await node.close()
        await server.close()
      }
      open.push({ node, close })
      return node
    }

    const owner = (node: ClusterNode) => until(() => node.role === 'owner')
    const caughtUp = (node: ClusterNode, with_: ClusterNode) =>
      until(() => node.role === 'following' && node.status.applied >= with_.status.applied)

    it('the next owner has every session, message and packet id of the one before', async () => {
      const a = await start('a')
      await owner(a)
      const b = await start('b')
      const reader = await serving.get('a')!.session('reader')
      await reader.subscribe('t/#', { qos: 2 })
      await reader.close()
      for (let n = 1; n <= 50; n++) await serving.get('a')!.publish(`t/${n}`, `m${n}`, { qos: 2, retain: n % 10 === 0 })
      await caughtUp(b, a)
      a.handOver() // a may know of nobody else yet
      await owner(b)
      await until(() => a.role === 'following' && a.status.owner?.node === 'b')
      const next = serving.get('b')!
      expect(await next.retained.count()).toBe(5)
      const again = await next.session('reader')
      expect(again.resumed).toBe(true)
      const seen: string[] = []
      for await (const message of again) {
        seen.push(`${message.number} ${message.text()}`)
        if (seen.length === 50) break
      }
      expect(seen).toEqual(Array.from({ length: 50 }, (_, at) => `${at + 1} m${at + 1}`))
      await next.publish('t/x', 'more', { qos: 1 })
    })

    it('a copy that is behind the log goes on from a snapshot; the log is trimmed before', async () => {
      const housekeeping = { everyMs: 100, snapshotEveryFrames: 20 }
      const a = await start('a', { housekeeping })
      await owner(a)
      const server = await jetstreamLog({ name: `t${clusters}`, servers: nats.urls })
      for (let n = 0; n < 120; n++) await serving.get('a')!.publish('r', `m${n}`, { qos: 1, retain: true })
      await until(async () => (await server.state()).first > 20)
      expect((await server.snapshots()).length).toBe(2)
      const b = await start('b')
      await caughtUp(b, a)
      await server.close()
      a.handOver()
      await owner(b)
      const [retained] = (await serving.get('b')!.retained.page({ limit: 1 })).items
      expect(retained?.topic).toBe('r')
    })

    it('data of a broker that ran alone is not followed with, nor passed over', async () => {
      const directory = join(folder, 'alone')
      await (await createBroker({ store: lmdbStore({ directory }) })).close()
      expect(existsSync(join(directory, 'format'))).toBe(true)
      const node = await start('alone', { directory })
      await until(() => node.status.problem !== undefined)
      expect(node.status.problem).toContain('holds the data of a broker that ran alone')
      expect(node.role).toBe('starting')
    })

    const retained = async (name: string) => (await serving.get(name)!.retained.page({ limit: 9 })).items
    const said = (words: string) => lines.some((line) => line.includes(words))

    it('hands over to a node that has all there is, and goes on where there is none', async () => {
      const a = await start('a')
      await owner(a)
      a.handOver()
      await until(() => a.status.problem !== undefined)
      expect(a.status).toMatchObject({ role: 'owner', problem: expect.stringContaining('no other node') })
      const b = await start('b')
      await caughtUp(b, a)
      a.handOver()
      await owner(b)
      expect(said('"why":"handover","heir":"b"')).toBe(true)
    })

    /** What b has told. */
    async function noteOf(b: ClusterNode) {
      const server = await jetstreamLog({ name: `t${clusters}`, servers: nats.urls })
      const notes = await server.notes()
      await server.close()
      return notes.find(({ node, role }) => node === b.status.node && role === 'following')
    }

    /** A record in this node's copy is not what was written. */
    async function damage(name: string): Promise<void> {
      const copy = await openCopy(join(folder, name, 'copy'))
      await copy.apply([{ table: 'retained', key: Buffer.alloc(16, 1), value: Buffer.from('not what was written') }])
      await copy.close()
    }

    it('a node whose copy is damaged does not serve with it where another could: it begins anew', async () => {
      const housekeeping = { everyMs: 100 }
      const a = await start('a', { housekeeping })
      await owner(a)
      await serving.get('a')!.publish('r', 'whole', { qos: 1, retain: true })
      const b = await start('b', { housekeeping })
      await caughtUp(b, a)
      await open.pop()!.close()
      await damage('b')
      const again = await start('b', { housekeeping })
      const other = await start('c', { housekeeping })
      await caughtUp(again, a)
      await caughtUp(other, a)
      await until(async () => (await noteOf(other)) !== undefined)
      await until(() => again.status.applied >= a.status.applied)
      again.claimNow()
      await until(() => said('"why":"retained: '))
      await owner(again) // as it was told to, with a copy that is whole
      expect((await retained('b')).map(({ topic }) => topic)).toEqual(['r'])
    })

    it.each([
      ['another has come since it looked: it begins anew', true],
      ['there is no other: it serves without the record', false],
    ])('a node whose copy is damaged claims, and %s', async (_, hasOther) => {
      const a = await start('a')
      await owner(a)
      await serving.get('a')!.publish('r', 'whole', { qos: 1, retain: true })
      const b = await start('b', { housekeeping: { everyMs: 100 } })
      await caughtUp(b, a)
      for (const { close } of open.splice(0).reverse()) await close()
      await damage('b')
      const again = await start('b', { housekeeping: { everyMs: 600_000 } })
      again.frozen = true
      await until(() => again.role === 'following')
      await until(async () => (await noteOf(again)) !== undefined)
      if (hasOther) {
        const c = await start('c', { housekeeping: { everyMs: 100 } })
        c.frozen = true
        await caughtUp(c, again)
        await until(async () => (await noteOf(c)) !== undefined)
      }
      again.claimNow()
      await owner(again)
      expect([said('"why":"retained: '), said('is damaged and was set aside')]).toEqual([hasOther, true])
      expect((await retained('b')).map(({ topic }) => topic)).toEqual(['r'])
    })

    it('a frame of a newer version stops whoever cannot read it, in one line, and nothing is asked of its copy', async () => {
      const a = await start('a')
      await owner(a)
      const b = await start('b')
      await caughtUp(b, a)
      const server = await jetstreamLog({ name: `t${clusters}`, servers: nats.urls })
      let answer: unknown
      while (typeof answer !== 'number') {
        const { sequence, bytes } = (await server.last())!
        const newer = Buffer.from(bytes)
        newer[1] = frameVersion + 1
        answer = await server.publish(newer, sequence, 2_000) // a may have been quicker
      }
      await server.close()
      for (const node of [a, b]) {
        await until(() => node.role === 'starting')
        expect(node.status.problem).toBe(
          `the log has a frame of version ${frameVersion + 1}, and this Godwit reads up to ${frameVersion}: install the newer one on this machine too`,
        )
        node.recover()
        expect(node.status.counters.diverged).toBe(0)
        const told = lines.filter((line) => line.startsWith('error') && line.includes(`"node":"${node.status.node}"`))
        expect(told.length).toBe(1)
      }
    })

    it('a log that is lost begins anew with the copy of one node, for all', async () => {
      const housekeeping = { everyMs: 100 }
      const a = await start('a', { housekeeping })
      await owner(a)
      const b = await start('b', { housekeeping })
      await serving.get('a')!.publish('r', 'kept', { qos: 1, retain: true })
      await caughtUp(b, a)
      const connection = await connect({ servers: nats.urls })
      const manager = await jetstreamManager(connection)
      for (const name of ['GODWIT_%_LOG', 'OBJ_GODWIT_%_SNAP', 'KV_GODWIT_%_NODES']) {
        await manager.streams.delete(name.replace('%', `t${clusters}`))
      }
      await connection.close()
      await until(() => a.status.silentMs > 0)
      b.publishCopy()
      await owner(b)
      await until(() => a.role === 'following' && a.status.owner?.node === 'b')
      expect(b.status.epoch).toBeGreaterThan(1) // who wrote before is fenced
      expect(said('the copy is kept aside')).toBe(true)
      expect((await retained('b')).map(({ topic }) => topic)).toEqual(['r'])
      await serving.get('b')!.publish('r', 'more', { qos: 1, retain: true })
      await caughtUp(a, b)
    }, 60_000)

    it('serves on when the leader of the stream is killed: what was acknowledged is there', async () => {
      const a = await start('a')
      await owner(a)
      const leader = await nats.leaderOf(`GODWIT_t${clusters}_LOG`)
      await serving.get('a')!.publish('r', 'before', { qos: 1, retain: true })
      await nats.kill(leader)
      await serving.get('a')!.publish('r', 'after', { qos: 1, retain: true })
      nats.run(leader)
      await nats.healthy()
      expect(a.status.counters).toMatchObject({ claims: 1, fenced: 0 })
    }, 40_000)
  },
)
