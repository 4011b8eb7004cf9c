// Three nats-servers and two brokers on them, on this machine: started, stopped, killed, cut off, and brought back.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCopy } from '@godwit/broker/store/lmdb'
import { parse } from 'yaml'
import { askOnce, controlPathOf } from '../packages/cli/dist/control/control-client.js'
import { freePort } from '../scripts/background.mjs'
import { root } from '../scripts/prepare.mjs'
import { Actor } from './cluster-actor.mjs'
import { LoopDisk } from './loop-disk.mjs'
import { TcpGate } from './tcp-gate.mjs'

/** Of a Godwit that is built in this folder. @param {string} folder */
const commandOf = (folder) => join(folder, 'packages/cli/bin/godwit.js')
const command = commandOf(root)

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

/** Of one that can lose power: a file that is as large as what is in it. */
const diskBytes = 1_073_741_824

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

  /** @type {number[]} */
  #tlsPorts = []

  /**
   * @param {string} program nats-server
   * @param {object} [options]
   * @param {boolean} [options.disks] each server and node has one of its own, that can lose power
   * @param {boolean} [options.gates] they reach each other through what can be cut (default), or else at once
   * @param {boolean} [options.edges] each node passes clients on to the one that serves
   * @param {string} [options.older] where another Godwit is built, on which the nodes begin
   */
  constructor(program, { disks = false, gates = true, edges = false, older } = {}) {
    this.program = program
    this.hasDisks = disks
    this.hasGates = gates
    this.hasEdges = edges
    this.#command = older === undefined ? command : commandOf(older)
  }

  folder = ''
  /** Which nodes begin with. */
  #command
  /** Of the nats-servers, for clients. @type {readonly number[]} */
  #servers = []

  async start() {
    this.folder = mkdtempSync(join(tmpdir(), 'godwit-cluster-'))
    const free = await freePorts(9 + 6 + 3)
    const client = free.splice(0, 3)
    const route = free.splice(0, 3)
    this.monitoring = free.splice(0, 3)
    this.ports = free.splice(0, 2)
    this.#tlsPorts = free.splice(0, 2)
    this.metrics = free.splice(0, 2)
    this.#certificate()
    const routeGates = this.hasGates ? free.splice(0, 3) : route
    for (const [at, port] of client.entries()) await this.#addServer(at, { client: port, route, routeGates })
    for (const server of this.servers) server.start()
    await this.#gathered()
    this.#servers = client
    const edges = new Map()
    if (this.hasEdges) {
      for (const name of ['a', 'b']) edges.set(name, await freePorts(2))
    }
    for (const name of ['a', 'b']) await this.#addNode(name, edges)
    for (const node of this.nodes) node.start()
    await this.owner()
    await this.followed()
  }

  /** The first start: one of nats-server 2.10 may stay outside of what the others have begun, and is started again then. */
  async #gathered() {
    for (const [at, server] of this.servers.entries()) {
      const isWell = until(() => answers(`http://127.0.0.1:${this.monitoring[at]}/healthz`), 'it', 20_000)
      if (await isWell.then(() => true).catch(() => false)) continue
      console.error(`${server.name} stays outside of the others: it is started again`)
      await server.end('SIGTERM')
      server.start()
    }
    await this.healthy()
  }

  /** Until all servers say that they can serve streams. */
  async healthy() {
    for (const at of this.monitoring) {
      await until(() => answers(`http://127.0.0.1:${at}/healthz`), 'a healthy nats-server', 60_000)
    }
  }

  /** @param {string} name */
  #folderOf(name) {
    const folder = join(this.folder, name)
    const disk = this.hasDisks ? new LoopDisk(`${folder}.img`, folder, diskBytes) : undefined
    mkdirSync(folder, { recursive: true })
    return { folder, disk }
  }

  /** @param {number} at @param {{ client: number, route: readonly number[], routeGates: readonly number[] }} ports */
  async #addServer(at, { client, route, routeGates }) {
    const name = `n${at}`
    const { folder, disk } = this.#folderOf(name)
    const others = routeGates.filter((_, other) => other !== at).map((port) => `"nats://127.0.0.1:${port}"`)
    const file = join(this.folder, `${name}.conf`)
    writeFileSync(
      file,
      `server_name: ${name}
listen: "127.0.0.1:${client}"
http: "127.0.0.1:${this.monitoring[at]}"
jetstream { store_dir: "${join(folder, 'store')}", max_file_store: 8GB, sync_interval: always }
cluster { name: proof, listen: "127.0.0.1:${route[at]}", advertise: "127.0.0.1:${routeGates[at]}", no_advertise: true
  routes: [${others.join(', ')}] }
`,
    )
    const server = new Actor(name, this.folder, [this.program, '-c', file])
    server.disk = disk
    if (this.hasGates) server.gates = [await new TcpGate(route[at] ?? 0).open(routeGates[at] ?? 0)]
    this.servers.push(server)
  }

  /** Another one, with an empty folder. @param {string} name */
  async joined(name) {
    this.ports.push(...(await freePorts(1)))
    this.#tlsPorts.push(...(await freePorts(1)))
    this.metrics.push(...(await freePorts(1)))
    const node = await this.#addNode(name, new Map())
    node.start()
    return node
  }

  /** The last that has joined is taken out again. */
  async left() {
    const node = this.nodes.pop()
    for (const ports of [this.ports, this.#tlsPorts, this.metrics]) ports.pop()
    await node?.end('SIGTERM')
    for (const gate of node?.gates ?? []) gate.close()
    node?.disk?.remove()
    rmSync(join(this.folder, node?.name ?? ''), { recursive: true, force: true })
  }

  /**
   * @param {string} name
   * @param {ReadonlyMap<string, readonly number[]>} edges where each node takes clients of the others, and the gate before it
   */
  async #addNode(name, edges) {
    const at = this.nodes.length
    const servers = this.#servers
    const gates = this.hasGates ? await freePorts(3) : servers
    const { folder, disk } = this.#folderOf(name)
    const example = exampleOfPage()
    const { credentialsFile: _, ...cluster } = example.cluster
    const listener = { ...example.listeners[0], host: '127.0.0.1' }
    const file = join(this.folder, `${name}.yaml`)
    const settings = {
      ...example,
      auth: {},
      listeners: [
        { ...listener, name: 'mqtt', port: this.ports[at] },
        {
          ...listener,
          name: 'mqtts',
          protocol: 'mqtts',
          port: this.#tlsPorts[at],
          tls: { cert: this.#pem('cert'), key: this.#pem('key') },
        },
      ],
      data: join(folder, 'data'),
      metrics: this.metrics[at],
      cluster: {
        ...cluster,
        node: name,
        servers: gates.map((port) => `nats://127.0.0.1:${port}`),
        monitoring: this.monitoring.map((port) => `http://127.0.0.1:${port}`),
        ...(edges.size > 0 && { forward: { listen: `127.0.0.1:${edges.get(name)?.[0]}` } }),
      },
    }
    writeFileSync(file, JSON.stringify(settings))
    const loaded = ['stepped-clock.mjs', 'dialed-gates.mjs'].flatMap((one) => [
      '--import',
      join(import.meta.dirname, one),
    ])
    const line = [process.execPath, ...loaded, this.#command, 'broker', '--config', file]
    const node = new Actor(name, this.folder, line)
    node.disk = disk
    node.env = { BENCH_GATES: [...edges.values()].map((ports) => ports.join(':')).join(',') }
    const [own, gate] = edges.get(name) ?? []
    if (own !== undefined && gate !== undefined) node.edgeGate = await new TcpGate(own).open(gate)
    if (this.hasGates) node.gates = await Promise.all(gates.map((port, n) => new TcpGate(servers[n] ?? 0).open(port)))
    this.nodes.push(node)
    return node
  }

  /** From its next start on it is the Godwit of this folder. @param {Actor} node */
  upgrade(node) {
    node.line = node.line.map((word) => (word === this.#command ? command : word))
  }

  /** A record in the copy of a node that has ended is not what was written. @param {Actor} node */
  async damage(node) {
    const copy = await openCopy(join(this.folder, node.name, 'data/copy'))
    await copy.apply([{ table: 'retained', key: Buffer.alloc(16, 1), value: Buffer.from('not what was written') }])
    await copy.close()
  }

  /** @param {'cert' | 'key'} what */
  #pem(what) {
    return join(this.folder, `${what}.pem`)
  }

  #certificate() {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    const files = ['-keyout', this.#pem('key'), '-out', this.#pem('cert')]
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    execFileSync('openssl', ['req', '-x509', ...key, ...files, ...names], { stdio: 'pipe' })
  }

  /** What a client believes. */
  get tls() {
    return { ca: readFileSync(this.#pem('cert'), 'utf8') }
  }

  get tlsUrls() {
    return this.#tlsPorts.map((port) => `mqtts://127.0.0.1:${port}`)
  }

  /** The node that does not serve. */
  async replica() {
    const owner = await this.owner()
    return /** @type {Actor} */ (this.nodes.find((node) => node !== owner))
  }

  /**
   * The network between one nats-server and the others.
   * @param {Actor} server @param {import('./tcp-gate.mjs').GateMode} mode as the server sees it: `there` is what it sends
   */
  cutServer(server, mode) {
    const turned = mode === 'swallow there' ? 'swallow back' : mode === 'swallow back' ? 'swallow there' : mode
    server.gates[0]?.set(turned) // the others have dialled there
    for (const other of this.servers) if (other !== server) other.gates[0]?.set(mode, server.name)
  }

  /** The network between a node and NATS. @param {Actor} node @param {import('./tcp-gate.mjs').GateMode} mode */
  cutNode(node, mode) {
    for (const gate of node.gates) gate.set(mode)
  }

  /** The network by which nodes bring clients to the one that serves. @param {import('./tcp-gate.mjs').GateMode} mode */
  cutEdges(mode) {
    for (const { edgeGate } of this.nodes) edgeGate?.set(mode)
  }

  /** All actors lose power at once, and have it again. @param {readonly Actor[]} [actors] */
  async cutPower(actors = [...this.nodes, ...this.servers]) {
    for (const { child } of actors) child?.kill('SIGSTOP')
    for (const { disk } of actors) disk?.cutPower()
    await Promise.all(actors.map((actor) => actor.end()))
    for (const { disk } of actors) disk?.powerUp()
  }

  /** A counter or gauge of the node that serves. @param {string} name */
  async gauge(name) {
    const owner = await this.owner()
    const text = await textOf(`http://127.0.0.1:${this.metrics[this.nodes.indexOf(owner)]}/metrics`)
    return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
  }

  /**
   * Asks a node, as `godwit cluster` does, without the time that a program takes to start.
   * @param {Actor} node @param {'handover' | 'snapshot'} deed
   */
  async ask(node, deed) {
    await askOnce(controlPathOf({ data: join(this.folder, node.name, 'data') }, {}), { request: 'cluster', deed })
  }

  get urls() {
    return this.ports.map((port) => `mqtt://127.0.0.1:${port}`)
  }

  /** The node that serves. */
  async owner() {
    /** @type {Actor | undefined} */
    let owner
    const look = async () => {
      for (const node of this.nodes) {
        if (node.child && (await this.serves(node))) owner = node
      }
      return owner !== undefined
    }
    await until(look, 'an owner', 60_000)
    return /** @type {Actor} */ (owner)
  }

  /** Until the other node has all that the owner has. */
  async followed() {
    const isBehind = async () => {
      const texts = await Promise.all(this.metrics.map((port) => textOf(`http://127.0.0.1:${port}/metrics`)))
      const applied = texts.map((text) => Number(/^godwit_cluster_applied_frame (\d+)/m.exec(text)?.[1]))
      return Math.max(...applied) - Math.min(...applied) < 200 && applied.every((frame) => frame > 0)
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

  /** Whether a node serves now: one that passes clients on is ready, too. @param {Actor} node */
  async serves(node) {
    const url = `http://127.0.0.1:${this.metrics[this.nodes.indexOf(node)]}`
    return (await answers(`${url}/readyz`)) && /^godwit_cluster_owner 1$/m.test(await textOf(`${url}/metrics`))
  }

  /** All processes. */
  async end() {
    for (const actor of [...this.nodes, ...this.servers]) {
      await actor.end()
      for (const gate of actor.gates) gate.close()
      actor.edgeGate?.close()
    }
  }

  async stop() {
    await this.end()
    for (const { disk } of [...this.nodes, ...this.servers]) disk?.remove()
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
export async function freePorts(count) {
  const ports = []
  while (ports.length < count) ports.push(await freePort())
  return ports
}
