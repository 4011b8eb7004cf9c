// Three nats-servers and two brokers on them, on this machine: started, stopped, killed, and brought back.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from '../scripts/prepare.mjs'

const command = join(root, 'packages/cli/bin/godwit.js')

/** The programs that scripts/fetch-nats.sh has fetched, by suite. */
export function fetchedNats() {
  const { XDG_CACHE_HOME: cache = join(homedir(), '.cache') } = process.env
  const folder = join(cache, 'godwit-ci', 'nats')
  const suites = existsSync(folder) ? readdirSync(folder).sort() : []
  return suites.map((suite) => join(folder, suite, 'usr/sbin/nats-server')).filter((program) => existsSync(program))
}

/** The configuration of a node that docs/cluster.md shows: what is proven is what is told. */
function exampleOfPage() {
  const page = readFileSync(join(root, 'docs/cluster.md'), 'utf8')
  return parse(/```yaml elsewhere\n(.*?)```/s.exec(page)?.[1] ?? '')
}

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * @param {() => unknown} isSo @param {string} what @param {number} [ms]
 */
export async function until(isSo, what, ms = 30_000) {
  const end = performance.now() + ms
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`${what} has not come about in ${ms} ms`)
    await pause(20)
  }
}

/** A process of the stage, which can be started again. */
class Actor {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  child
  /** @param {string} name @param {string} log @param {readonly string[]} line */
  constructor(name, log, line) {
    this.name = name
    this.log = log
    this.line = line
  }

  start() {
    const log = openSync(this.log, 'a')
    const [program = '', ...args] = this.line
    this.child = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, GODWIT_HTTP__LISTEN: 'none' },
    })
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.child?.kill(signal)
  }

  /** @param {NodeJS.Signals} [signal] */
  async end(signal = 'SIGKILL') {
    const child = this.child
    this.child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    child.kill('SIGCONT')
    await ended
  }
}

export class ClusterStage {
  /** @type {Actor[]} */
  servers = []
  /** @type {Actor[]} */
  nodes = []
  /** @type {number[]} */
  ports = []
  /** @type {number[]} */
  metrics = []
  /** @type {number[]} */
  monitoring = []

  /** @param {string} program nats-server */
  constructor(program) {
    this.program = program
    this.folder = mkdtempSync(join(tmpdir(), 'godwit-cluster-'))
  }

  async start() {
    const free = await freePorts(9 + 4)
    const client = free.slice(0, 3)
    const routes = free.slice(3, 6).map((port) => `nats://127.0.0.1:${port}`)
    this.monitoring = free.slice(6, 9)
    this.ports = free.slice(9, 11)
    this.metrics = free.slice(11, 13)
    for (const [at, port] of client.entries()) {
      const file = join(this.folder, `n${at}.conf`)
      writeFileSync(
        file,
        `server_name: n${at}
listen: "127.0.0.1:${port}"
http: "127.0.0.1:${this.monitoring[at]}"
jetstream { store_dir: "${join(this.folder, `n${at}`)}", max_file_store: 8GB, sync_interval: always }
cluster { name: proof, listen: "${routes[at]?.replace('nats://', '')}", routes: [${routes.map((one) => `"${one}"`).join(', ')}] }
`,
      )
      this.servers.push(new Actor(`n${at}`, join(this.folder, `n${at}.log`), [this.program, '-c', file]))
    }
    for (const server of this.servers) server.start()
    for (const at of this.monitoring) {
      await until(() => answers(`http://127.0.0.1:${at}/healthz`), 'a healthy nats-server')
    }
    const example = exampleOfPage()
    for (const [at, name] of ['a', 'b'].entries()) {
      const file = join(this.folder, `${name}.yaml`)
      mkdirSync(join(this.folder, name))
      const { credentialsFile: _, ...cluster } = example.cluster
      const settings = {
        ...example,
        auth: {},
        listeners: [{ ...example.listeners[0], host: '127.0.0.1', port: this.ports[at] }],
        data: join(this.folder, name),
        metrics: this.metrics[at],
        cluster: {
          ...cluster,
          node: name,
          servers: client.map((port) => `nats://127.0.0.1:${port}`),
          monitoring: this.monitoring.map((port) => `http://127.0.0.1:${port}`),
        },
      }
      writeFileSync(file, JSON.stringify(settings))
      this.nodes.push(
        new Actor(name, join(this.folder, `${name}.log`), [process.execPath, command, 'broker', '--config', file]),
      )
    }
    for (const node of this.nodes) node.start()
    await this.owner()
    await this.followed()
  }

  get urls() {
    return this.ports.map((port) => `mqtt://127.0.0.1:${port}`)
  }

  /** The node that serves. */
  async owner() {
    /** @type {Actor | undefined} */
    let owner
    const look = async () => {
      for (const [at, node] of this.nodes.entries()) {
        if (node.child && (await answers(`http://127.0.0.1:${this.metrics[at]}/readyz`))) owner = node
      }
      return owner !== undefined
    }
    await until(look, 'an owner')
    return /** @type {Actor} */ (owner)
  }

  /** Until the other node has all that the owner has. */
  async followed() {
    const isBehind = async () => {
      const texts = await Promise.all(this.metrics.map((port) => textOf(`http://127.0.0.1:${port}/metrics`)))
      const applied = texts.map((text) => Number(/^godwit_cluster_applied_frame (\d+)/m.exec(text)?.[1]))
      return Math.abs((applied[0] ?? 0) - (applied[1] ?? 0)) < 200 && applied.every((frame) => frame > 0)
    }
    await until(isBehind, 'a replica that has caught up', 60_000)
  }

  /** The nats-server that leads the log. */
  async leader() {
    /** @type {string | undefined} */
    let name
    const look = async () => {
      for (const port of this.monitoring) {
        const text = await textOf(`http://127.0.0.1:${port}/jsz?streams=1`)
        const details = text ? (JSON.parse(text).account_details ?? []) : []
        for (const { stream_detail: streams = [] } of details) {
          for (const { name: stream, cluster } of streams)
            if (stream === 'GODWIT_plant_LOG') name = cluster?.leader ?? name
        }
      }
      return name !== undefined
    }
    await until(look, 'a leader of the log')
    return /** @type {Actor} */ (this.servers.find((server) => server.name === name))
  }

  async stop() {
    for (const actor of [...this.nodes, ...this.servers]) await actor.end()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** @param {string} url */
async function answers(url) {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok
  } catch {
    return false
  }
}

/** @param {string} url */
async function textOf(url) {
  try {
    return await (await fetch(url, { signal: AbortSignal.timeout(1_000) })).text()
  } catch {
    return ''
  }
}

/** @param {number} count */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
