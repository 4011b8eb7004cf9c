import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isOlder } from '../../src/nats/connection.js'

/** The nats-server that tests use: the one that is named, one that scripts/fetch-nats.sh has fetched, or the system's. */
export function natsServer(): string | undefined {
  const { GODWIT_NATS_SERVER: named, XDG_CACHE_HOME: cache = join(homedir(), '.cache') } = process.env
  const fetched = join(cache, 'godwit-ci', 'nats')
  const suites = existsSync(fetched) ? readdirSync(fetched).sort() : []
  const programs = suites.map((suite) => join(fetched, suite, 'usr', 'sbin', 'nats-server'))
  const candidates = named === undefined ? [...programs, '/usr/sbin/nats-server', '/usr/bin/nats-server'] : [named]
  return candidates.find((program) => existsSync(program) && !isOlder(versionOf(program)))
}

function versionOf(program: string): string {
  return /v(\d+\.\d+\.\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1] ?? '0.0.0'
}

interface Server {
  readonly name: string
  readonly client: number
  readonly route: number
  readonly monitoring: number
  child: ChildProcess | undefined
}

/** Some nats-servers of one cluster on this machine, each with a folder of its own. */
export class NatsServers {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'godwit-nats-'))
  readonly servers: Server[] = []
  readonly #program: string

  private constructor(program: string) {
    this.#program = program
  }

  /** @param lines of the configuration, in the block of JetStream. */
  static async start(program: string, count = 3, lines = 'sync_interval: always'): Promise<NatsServers> {
    const all = new NatsServers(program)
    const ports = await freePorts(count * 3)
    for (let at = 0; at < count; at++) {
      const [client, route, monitoring] = ports.slice(at * 3)
      all.servers.push({ name: `n${at}`, client: client!, route: route!, monitoring: monitoring!, child: undefined })
    }
    for (const server of all.servers) {
      writeFileSync(join(all.folder, `${server.name}.conf`), all.#configuration(server, lines))
      all.run(server)
    }
    await all.healthy()
    return all
  }

  get urls(): string[] {
    return this.servers.map(({ client }) => `nats://127.0.0.1:${client}`)
  }

  #configuration({ name, client, route, monitoring }: Server, lines: string): string {
    const routes = this.servers.map((one) => `nats://127.0.0.1:${one.route}`).join(', ')
    const cluster = `cluster { name: test, listen: "127.0.0.1:${route}", routes: [${routes}] }`
    const store = join(this.folder, name)
    return `server_name: ${name}
listen: "127.0.0.1:${client}"
http: "127.0.0.1:${monitoring}"
jetstream { store_dir: "${store}", max_memory_store: 64MB, max_file_store: 8GB
  ${lines}
}
${this.servers.length > 1 ? cluster : ''}
`
  }

  run(server: Server): void {
    mkdirSync(join(this.folder, server.name), { recursive: true })
    const log = openSync(join(this.folder, `${server.name}.log`), 'a')
    server.child = spawn(this.#program, ['-c', join(this.folder, `${server.name}.conf`)], {
      stdio: ['ignore', log, log],
    })
  }

  /** Until all that run say that they can serve streams. */
  async healthy(): Promise<void> {
    for (const { monitoring, child } of this.servers) {
      if (child) await until(() => isHealthy(monitoring))
    }
  }

  /** The server that leads a stream. */
  async leaderOf(stream: string): Promise<Server> {
    let leader: Server | undefined
    await until(async () => {
      for (const { monitoring, child } of this.servers) {
        if (!child) continue
        const answer = await fetch(`http://127.0.0.1:${monitoring}/jsz?streams=1&config=0`)
        const { account_details: accounts = [] } = (await answer.json()) as { account_details?: Account[] }
        const found = accounts.flatMap((one) => one.stream_detail ?? []).find(({ name }) => name === stream)
        leader ??= this.servers.find(({ name }) => name === found?.cluster?.leader)
      }
      return leader !== undefined
    })
    return leader!
  }

  async kill(server: Server): Promise<void> {
    const { child } = server
    server.child = undefined
    child?.kill('SIGKILL')
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await this.kill(server)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

interface Account {
  readonly stream_detail?: { readonly name: string; readonly cluster?: { readonly leader?: string } }[]
}

async function isHealthy(monitoring: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${monitoring}/healthz`)).ok
  } catch {
    return false
  }
}

/** Until it is so; what never is ends with the test's own patience. */
export async function until(isSo: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const end = performance.now() + ms
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`it has not become so in ${ms} ms: ${isSo}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
