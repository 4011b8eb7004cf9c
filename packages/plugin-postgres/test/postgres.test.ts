import { once } from 'node:events'
import { createServer } from 'node:net'
import { hashPassword } from '@godwit/broker/access'
import { type PluginRig, startPlugin } from '@godwit/broker/testing'
import { connect } from '@godwit/client'
import postgres from '@godwit/plugin-postgres'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Cluster, skipped } from './cluster.js'

let cluster: Cluster
let rig: PluginRig

/** What a person asks the database. */
async function sql(text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: cluster.url })
  await client.connect()
  try {
    const result = (await client.query(text)) as { rows: Record<string, unknown>[] }
    return result.rows
  } finally {
    await client.end()
  }
}

const start = async (options: object): Promise<PluginRig> => {
  rig = await startPlugin(postgres, { connection: cluster.url, timeoutMs: 3_000, ...options })
  return rig
}

describe.skipIf(skipped)('PostgreSQL', () => {
  beforeAll(async () => {
    cluster = await Cluster.start()
  }, 60_000)
  afterAll(() => cluster.remove())
  afterEach(async () => {
    await rig.stop()
    await cluster.up()
  })

  describe('users', () => {
    const users = { query: 'SELECT password_hash, claims FROM users WHERE name = $1' }
    let url: string

    beforeAll(async () => {
      const hash = await hashPassword(Buffer.from('secret'), { ln: 10, r: 8, p: 1 })
      await sql(`CREATE TABLE users (name text PRIMARY KEY, password_hash text, claims jsonb);
        INSERT INTO users VALUES ('ann', '${hash}', '{"site": 7}'), ('bob', 'secret', NULL)`)
    })

    const open = async (options: object): Promise<void> => {
      const { broker } = await start(options)
      const { port } = await broker.listen(0)
      url = `mqtt://127.0.0.1:${port}`
    }
    const come = async (username: string | undefined, password: string, version: 4 | 5 = 5): Promise<string> => {
      try {
        const client = await connect(url, {
          version,
          password,
          reconnect: false,
          ...(username !== undefined && { username }),
        })
        await client.close()
        return 'in'
      } catch (error) {
        return String((error as { reasonCode?: number }).reasonCode)
      }
    }

    it('come in with their password, and nobody else does', async () => {
      await open({ users })
      expect(await come('ann', 'secret')).toBe('in')
      expect(await come('ann', 'wrong')).toBe('135')
      expect(await come('eve', 'secret')).toBe('135')
      expect(await come("x' OR '1'='1", 'secret')).toBe('135')
      expect(await come(undefined, 'secret')).toBe('135')
      expect(await come('bob', 'secret')).toBe('135') // not hashed
      expect(rig.log.filter((line) => line.includes('cannot be used'))).toEqual([
        expect.stringContaining('"username":"bob"'),
      ])
    })

    it('have claims, and are remembered for a while', async () => {
      await open({ users: { ...users, cacheSeconds: 60 } })
      const client = await connect(url, { username: 'ann', password: 'secret', clientId: 'c' })
      await client.close()
      expect(await come('ann', 'secret')).toBe('in')
      expect(rig.plugin.counts()).toMatchObject({ users_asked: 1, users_cached: 1 })
      rig.clock.advance(60_000)
      expect(await come('ann', 'secret')).toBe('in')
      expect(rig.plugin.counts()).toMatchObject({ users_asked: 2, users_cached: 1 })
    })

    it('may be judged by the database itself', async () => {
      const query = "SELECT name = 'ann' AND $2 = 'pw' AND $3 LIKE 'dev-%' AS allowed FROM users WHERE name = $1"
      await open({ users: { query } })
      const client = await connect(url, { username: 'ann', password: 'pw', clientId: 'dev-1' })
      await client.close()
      expect(await come('ann', 'pw')).toBe('135')
    })

    it('stay outside while the database is away, and are told that the server is unavailable', async () => {
      await open({ users: { ...users, cacheSeconds: 0 } })
      expect(await come('ann', 'secret')).toBe('in')
      await cluster.down()
      expect(await come('ann', 'secret')).toBe('136')
      expect(await come('ann', 'secret', 4)).toBe('136') // return code 3, by the client's table
      expect(rig.plugin.counts()).toMatchObject({ users_failed: 2 })
      await cluster.up()
      expect(await come('ann', 'secret')).toBe('in')
    })

    it('stay outside when it takes connections and says nothing', async () => {
      const mute = createServer().listen(0, '127.0.0.1')
      await once(mute, 'listening')
      const { port } = mute.address() as { port: number }
      await open({ connection: `postgres://u@127.0.0.1:${port}/d`, timeoutMs: 200, users })
      expect(await come('ann', 'secret')).toBe('136')
      mute.close()
    })
  })

  describe('rules', () => {
    const rules = { query: 'SELECT effect, action, filter FROM rules WHERE name = $1 ORDER BY place' }

    beforeAll(async () => {
      await sql(`CREATE TABLE rules (place serial, name text, effect text, action text, filter text);
        INSERT INTO rules (name, effect, action, filter) VALUES
          ('ann', 'deny', 'publish', 'a/secret'), ('ann', 'allow', 'all', 'a/#'), ('ann', 'allow', 'subscribe', 'own/\${clientId}')`)
    })

    it('allow what a row says, the first that applies, and nothing else', async () => {
      const { broker } = await start({ rules })
      const { port } = await broker.listen({ port: 0, allowAnonymous: true })
      const ann = await connect(`mqtt://127.0.0.1:${port}`, { username: 'ann', password: '', clientId: 'c' })
      const publish = (topic: string): Promise<unknown> =>
        ann.publish(topic, 'x', { qos: 1 }).then(
          () => 'taken',
          (error: { reasonCode?: number }) => error.reasonCode,
        )
      expect([await publish('a/1'), await publish('a/secret'), await publish('b')]).toEqual(['taken', 135, 135])
      await using own = await ann.subscribe('own/c')
      expect(own).toBeTruthy()
      await expect(ann.subscribe('own/d')).rejects.toMatchObject({ code: 'subscription-refused' })
      await cluster.down()
      expect(await publish('a/2')).toBe('taken') // its rules are known
      rig.clock.advance(61_000)
      expect(await publish('a/3')).toBe(135)
      expect(rig.log.filter((line) => line.includes('gives no answer'))).toHaveLength(1)
      await cluster.up()
      expect(await publish('a/4')).toBe('taken')
      await ann.close()
    })
  })

  describe('messages', () => {
    const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1))
    const stored = async (): Promise<string[]> => {
      const rows = await sql("SELECT convert_from(payload, 'UTF8') AS text FROM mqtt_messages ORDER BY place")
      return rows.map(({ text }) => text as string)
    }
    const until = async (written: number): Promise<void> => {
      while (rig.plugin.counts().written !== written) await new Promise(setImmediate)
    }

    beforeEach(() => sql('DROP TABLE IF EXISTS mqtt_messages'))

    /** A table of the person's own, in which the order is seen. */
    const withPlace = (): Promise<unknown> =>
      sql(`CREATE TABLE mqtt_messages (place serial, id text PRIMARY KEY, received_at timestamptz, topic text, payload bytea,
        qos smallint, retain boolean, publisher text)`)

    it('are stored with all that is asked for, in a table that is made', async () => {
      const columns = {
        id: 'id',
        at: 'receivedAt',
        topic: 'topic',
        'the payload': 'payload',
        said: 'text',
        value: 'json',
        qos: 'qos',
        kept: 'retain',
        by: 'publisher',
        kind: 'contentType',
        more: 'userProperties',
      }
      const { broker, clock } = await start({
        messages: { filters: [{ filter: 'a/#', qos: 2 }], columns, table: 'public.mqtt_messages', lingerMs: 0 },
      })
      const properties = { contentType: 'application/json', userProperties: [['k', 'v']] as [string, string][] }
      await broker.publish('a/b', '{"t": 21.5}', { qos: 2, properties })
      await until(1)
      const [row] = await sql('SELECT * FROM mqtt_messages')
      expect(row).toEqual({
        id: expect.stringMatching(/^\w+-1$/),
        at: new Date(clock.now()),
        topic: 'a/b',
        'the payload': Buffer.from('{"t": 21.5}'),
        said: '{"t": 21.5}',
        value: { t: 21.5 },
        qos: 2,
        kept: false,
        by: '',
        kind: 'application/json',
        more: [['k', 'v']],
      })
    })

    it('wait while the database is away, and come in order, each once', async () => {
      await withPlace()
      const { broker, clock, said } = await start({ messages: { filters: ['a'], maxBatchMessages: 10, lingerMs: 0 } })
      void broker.publish('a', '1', { qos: 1 })
      await until(1)
      await cluster.down()
      for (const text of texts(200).slice(1)) void broker.publish('a', text, { qos: 1 })
      await said(/messages wait/)
      await cluster.up()
      clock.advance(500)
      await until(200)
      expect(await stored()).toEqual(texts(200))
    })

    it('are stored once when an answer is lost behind the commit', async () => {
      await withPlace()
      await sql(`CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$;
        CREATE TRIGGER slow AFTER INSERT ON mqtt_messages FOR EACH STATEMENT EXECUTE FUNCTION slow()`)
      const { broker, clock, said } = await start({ messages: { filters: ['a'], lingerMs: 0, timeoutMs: 200 } })
      void broker.publish('a', '1', { qos: 1 })
      await said(/messages wait.*Query read timeout/)
      while ((await stored()).length === 0) await new Promise(setImmediate) // committed, and nobody has heard of it
      await sql('DROP TRIGGER slow ON mqtt_messages')
      clock.advance(500)
      await until(1)
      expect(await stored()).toEqual(['1'])
    })

    it('that the database refuses are set aside, and those beside them are stored', async () => {
      const columns = { id: 'id', value: 'json' }
      const { broker, said } = await start({
        messages: { filters: ['a'], columns, maxBatchMessages: 3, lingerMs: 1000 },
      })
      for (const text of ['1', '{no json', '3']) void broker.publish('a', text, { qos: 1 })
      await until(2)
      expect(await sql('SELECT value FROM mqtt_messages ORDER BY value')).toEqual([{ value: 1 }, { value: 3 }])
      expect(await said(/message refused/)).toMatch(/invalid input syntax for type json/)
    })

    it('wait, and are not lost, when the table is not as it must be', async () => {
      await sql('CREATE TABLE mqtt_messages (id text PRIMARY KEY)')
      const { broker, clock, said } = await start({ messages: { filters: ['a'], lingerMs: 0 } })
      await broker.publish('a', '1', { qos: 1 })
      expect(await said(/messages wait/)).toMatch(
        /column \\"received_at\\" of relation \\"mqtt_messages\\" does not exist/,
      )
      await sql('DROP TABLE mqtt_messages')
      await withPlace()
      clock.advance(500)
      await until(1)
      expect(await stored()).toEqual(['1'])
    })
  })
})

it.each([
  [{ connection: 'mysql://x' }, /options\.connection: it takes a URL such as postgres:/],
  [{}, /options\.messages: it needs users, rules or messages/],
  [{ users: { query: 'SELECT 1' } }, /options\.users\.query: it takes \$1, the user name/],
  [{ messages: { filters: ['a'], columns: { topic: 'topic' } } }, /one column takes id, by which each is stored once/],
  [{ messages: { filters: ['a'] }, passwordFile: '/nowhere/pw' }, /failed in state: ENOENT/],
])('options %j are refused', async (options, problem) => {
  const whole = { connection: 'postgres://u@127.0.0.1:1/d', ...options }
  await expect(startPlugin(postgres, whole)).rejects.toThrow(problem)
})
