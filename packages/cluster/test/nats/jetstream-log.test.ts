import { randomBytes } from 'node:crypto'
import { systemClock } from '@godwit/broker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LogServer, StoredFrame } from '../../src/log/log-server.js'
import { Fenced, LogWriter } from '../../src/log/log-writer.js'
import { isOlder } from '../../src/nats/connection.js'
import { jetstreamLog } from '../../src/nats/jetstream-log.js'
import { placeOf } from '../../src/nats/reading.js'
import { NatsServers, natsServer, until } from './nats-servers.js'

it('knows versions that are too old', () => {
  expect(['2.9.10', '2.10.26', '2.10.27', '2.11.0', '2.15.1', '3.0.0'].map(isOlder)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})

it('reads where a message stands, in both forms', () => {
  expect(placeOf('$JS.ACK.S.C.1.7.3.1700000000.0')).toEqual({ sequence: 7, count: 3 })
  expect(placeOf('$JS.ACK._.hash.S.C.1.7.3.1700000000.0.token')).toEqual({ sequence: 7, count: 3 })
})

const program = natsServer()
if (program === undefined && process.env.GODWIT_TEST_REQUIRE_PEERS === '1') {
  throw new Error('there is no nats-server: scripts/fetch-nats.sh fetches one')
}

describe.skipIf(program === undefined)(
  'a log in JetStream (skipped without nats-server: scripts/fetch-nats.sh)',
  () => {
    let nats: NatsServers
    beforeAll(async () => {
      nats = await NatsServers.start(program!, 1)
    })
    afterAll(() => nats?.stop())

    let clusters = 0
    const open = (name = `c${++clusters}`): Promise<LogServer> =>
      jetstreamLog({ name, servers: nats.urls, replicas: 1, logBytes: 10_000_000 })
    const writer = (server: LogServer, epoch: number, after: number): LogWriter =>
      new LogWriter({
        server,
        clock: systemClock,
        epoch,
        instance: randomBytes(16).toString('hex'),
        after,
        owner: { node: `n${epoch}` },
      })
    const value = (bytes: number) => [{ table: 'facts' as const, key: Buffer.from('k'), value: Buffer.alloc(bytes, 7) }]

    it('takes frames of one owner, in parts, and fences who was replaced', async () => {
      const server = await open()
      expect(await server.last()).toBeUndefined()
      const first = writer(server, 1, 0)
      expect(await first.claim()).toMatchObject({ sequence: 1, epoch: 1, owner: { node: 'n1' } })
      expect(await first.commit(value(600_000))).toMatchObject({ sequence: 4 })
      const second = writer(server, 2, 4)
      await second.claim()
      await expect(first.commit(value(1))).rejects.toThrow(Fenced)
      await expect(writer(server, 2, 4).claim()).rejects.toThrow('epoch 2 has begun')
      expect((await server.last())?.sequence).toBe(5)
      expect(await server.state()).toMatchObject({ first: 1, last: 5, maxBytes: 10_000_000 })
      await server.close()
    })

    it('gives them out in order, from anywhere, and goes on', async () => {
      const server = await open()
      const owner = writer(server, 1, 0)
      await owner.claim()
      for (let n = 0; n < 20; n++) await owner.commit(value(10))
      const seen: StoredFrame[] = []
      const following = await server.follow(
        5,
        (frame) => void seen.push(frame),
        () => {},
      )
      await until(() => seen.length === 17)
      await owner.heartbeat()
      await until(() => seen.length === 18)
      expect(seen.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 18 }, (_, at) => at + 5))
      following.close()
      await server.trim(21)
      expect(await server.state()).toMatchObject({ first: 21, last: 22 })
      await server.close()
    })

    it('says when its stream is full, and takes no more', async () => {
      const server = await jetstreamLog({ name: 'full', servers: nats.urls, replicas: 1, logBytes: 300_000 })
      const owner = writer(server, 1, 0)
      await owner.claim()
      await owner.commit(value(250_000))
      const lost = owner.commit(value(250_000))
      await until(() => owner.isFull)
      owner.end()
      await expect(lost).rejects.toThrow(Fenced)
      await server.close()
    })

    it('refuses a stream of another shape, and a name that is none', async () => {
      const server = await open('mine')
      await server.close()
      await expect(jetstreamLog({ name: 'a.b', servers: nats.urls })).rejects.toThrow('is no name of a cluster')
      await expect(jetstreamLog({ name: 'x', servers: ['nats://127.0.0.1:1'] })).rejects.toThrow(
        'none of nats://127.0.0.1:1',
      )
    })

    it('keeps snapshots, and what nodes tell of themselves', async () => {
      const server = await open()
      const note = {
        node: 'a',
        role: 'owner',
        epoch: 1,
        applied: 7,
        version: '1',
        frameVersion: 1,
        preferred: false,
        at: 5,
      }
      await server.note(note)
      expect(await server.notes()).toEqual([note])
      expect(await server.snapshots()).toEqual([])
      const made = await server.putSnapshot(import.meta.filename, 42)
      expect(await server.snapshots()).toEqual([made])
      const copy = `${nats.folder}/snapshot`
      await server.getSnapshot(made, copy)
      await server.deleteSnapshot(made)
      expect(await server.snapshots()).toEqual([])
      await server.close()
    })
  },
)
