// Each plugin beside the server it is for, which is gone for a while in the middle of a load: nothing may be lost, and the order
// stays. GODWIT_TEST_OUTAGE_SECONDS says for how long; npm run proof -- --plugins takes ten.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connect } from '@godwit/client'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { InfluxServer, skipped as withoutInflux } from '../../packages/plugin-influx/test/influx-server.js'
import { Cluster, skipped as withoutPostgres } from '../../packages/plugin-postgres/test/cluster.js'
import { Receiver } from '../../packages/plugin-webhook/test/receiver.js'

const outageSeconds = Number(process.env.GODWIT_TEST_OUTAGE_SECONDS ?? 2)
/** Messages a second, and seconds before and behind the outage. */
const rate = 1_000
const aroundSeconds = 1
const count = rate * (outageSeconds + 2 * aroundSeconds)
const timeout = 60_000 + outageSeconds * 4_000

/** Where messages go, which can be gone. */
interface Destination {
  /** A plugin of a configuration. */
  readonly plugin: object
  down(): Promise<void>
  up(): Promise<void>
  /** What it has, in its order. */
  has(): Promise<readonly number[]>
  remove(): Promise<void>
}

async function webhook(): Promise<Destination> {
  const receiver = await Receiver.open()
  return {
    plugin: { module: '@godwit/plugin-webhook', options: { url: receiver.url, filters: ['load'] } },
    down: () => receiver.down(),
    up: () => receiver.up(),
    has: async () => receiver.payloads.map(Number),
    remove: () => receiver.down(),
  }
}

async function postgres(): Promise<Destination> {
  const cluster = await Cluster.start()
  const ask = async (text: string): Promise<readonly Record<string, unknown>[]> => {
    const client = new Client({ connectionString: cluster.url })
    await client.connect()
    const { rows } = (await client.query(text)) as { rows: Record<string, unknown>[] }
    await client.end()
    return rows
  }
  await ask('CREATE TABLE load (place bigserial, id text PRIMARY KEY, value jsonb)')
  const messages = { filters: ['load'], table: 'load', columns: { id: 'id', value: 'json' } }
  return {
    plugin: { module: '@godwit/plugin-postgres', options: { connection: cluster.url, messages } },
    down: () => cluster.down(),
    up: () => cluster.up(),
    has: async () => (await ask('SELECT value FROM load ORDER BY place')).map(({ value }) => Number(value)),
    remove: () => cluster.remove(),
  }
}

async function influx(): Promise<Destination> {
  const server = await InfluxServer.start()
  await server.query('CREATE DATABASE iot')
  const points = [{ filter: 'load', payload: 'number' }]
  return {
    plugin: { module: '@godwit/plugin-influx', options: { url: server.url, database: 'iot', points } },
    down: () => server.down(),
    up: () => server.up(),
    has: async () => (await server.query('SELECT value FROM mqtt ORDER BY time')).map(({ value }) => Number(value)),
    remove: () => server.remove(),
  }
}

const command = fileURLToPath(new URL('../../packages/cli/bin/godwit.js', import.meta.url))

/** `godwit broker` with a plugin, its data on disk. */
class Broker {
  readonly #folder = mkdtempSync(join(tmpdir(), 'godwit-outage-'))
  #child: ChildProcess | undefined

  async start(plugin: object): Promise<string> {
    const config = join(this.#folder, 'godwit.json')
    const whole = {
      data: './data',
      control: 'none',
      http: { listen: 'none' },
      listeners: [{ port: 0 }],
      plugins: [plugin],
    }
    writeFileSync(config, JSON.stringify(whole))
    const child = spawn(process.execPath, [command, 'broker', '--config', config], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#child = child
    const [banner] = (await once(child.stdout!, 'data')) as [Buffer]
    const [, port] = /listening on 127\.0\.0\.1:(\d+)/.exec(banner.toString()) ?? []
    return `mqtt://127.0.0.1:${port}`
  }

  async remove(): Promise<void> {
    const ended = once(this.#child!, 'close')
    this.#child!.kill()
    await ended
    rmSync(this.#folder, { recursive: true })
  }
}

/** Numbers from 1 on, each acknowledged. */
async function load(url: string): Promise<void> {
  const client = await connect(url, { clientId: 'load' })
  const began = performance.now()
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.ceil(((performance.now() - began) / 1_000) * rate))
    const acknowledged: Promise<unknown>[] = []
    while (sent < due) acknowledged.push(client.publish('load', String(++sent), { qos: 1 }))
    await Promise.all(acknowledged)
    await delay(5)
  }
  await client.close()
}

describe(`a server that is gone for ${outageSeconds} s under ${rate} messages a second`, () => {
  let destination: Destination
  let broker: Broker
  beforeEach(() => {
    broker = new Broker()
  })
  afterEach(async () => {
    await broker.remove()
    await destination.remove()
  })

  test.each([
    ['webhook', webhook, false],
    ['postgres', postgres, withoutPostgres],
    ['influx', influx, withoutInflux],
  ] as const)('%s: nothing is lost, and the order stays', { timeout }, async (name, open, isSkipped) => {
    if (isSkipped) return
    destination = await open()
    const url = await broker.start(destination.plugin)
    const loaded = load(url)
    await delay(aroundSeconds * 1_000)
    await destination.down()
    await delay(outageSeconds * 1_000)
    await destination.up()
    await loaded
    const deadline = performance.now() + 30_000 + outageSeconds * 2_000
    let has: readonly number[] = []
    for (; performance.now() < deadline && new Set(has).size < count; await delay(100)) has = await destination.has()
    const firsts = [...new Set(has)]
    const outOfOrder = firsts.filter((number, at) => at > 0 && number < firsts[at - 1]!).length
    console.log(
      `${name}: ${count} sent, lost ${count - firsts.length}, twice ${has.length - firsts.length}, out of order ${outOfOrder}`,
    )
    expect(firsts).toEqual(Array.from({ length: count }, (_, at) => at + 1))
    if (name === 'postgres') expect(has).toHaveLength(count) // each once
  })
})
