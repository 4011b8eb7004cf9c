import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort, ServerProcess } from '@godwit/broker/testing'

const versions = '/usr/lib/postgresql'

/** The folder of Debian's newest PostgreSQL. */
const programs = existsSync(versions)
  ? readdirSync(versions)
      .sort((one, other) => Number(other) - Number(one))
      .map((version) => join(versions, version, 'bin'))
      .find((folder) => existsSync(join(folder, 'initdb')))
  : undefined

/** Whether tests with PostgreSQL are left out, visibly. With GODWIT_TEST_REQUIRE_PEERS they fail instead. */
export const skipped: boolean = programs === undefined && !process.env.GODWIT_TEST_REQUIRE_PEERS
if (skipped) process.stderr.write('SKIPPED: with PostgreSQL: it is not installed (apt-get install postgresql)\n')

/** PostgreSQL refuses to run as root: then it is Debian's user of that name. */
const postgres = userInfo().uid === 0 ? idsOf('postgres') : {}

function idsOf(user: string): { readonly uid?: number; readonly gid?: number } {
  if (programs === undefined) return {}
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, user]).toString()))
  return { uid: uid!, gid: gid! }
}

/** A PostgreSQL of its own in a folder of its own, which can be stopped and started again. */
export class Cluster {
  readonly #folder: string
  readonly #port: number
  #running: ServerProcess | undefined

  static async start(): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'godwit-postgres-'))
    chmodSync(folder, 0o700)
    if (postgres.uid !== undefined) chownSync(folder, postgres.uid, postgres.gid!)
    const options = { ...postgres, cwd: folder, stdio: 'pipe' } as const
    execFileSync(
      join(programs!, 'initdb'),
      ['-D', join(folder, 'data'), '-U', 'godwit', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
      options,
    )
    const cluster = new Cluster(folder, await freePort())
    await cluster.up()
    return cluster
  }

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
  }

  get url(): string {
    return `postgres://godwit@127.0.0.1:${this.#port}/postgres`
  }

  /** Resolves when it takes connections. */
  async up(): Promise<void> {
    const settings = [
      `port=${this.#port}`,
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=`,
      'fsync=off',
      'shared_buffers=16MB',
    ]
    const data = ['-D', join(this.#folder, 'data')]
    const command = [join(programs!, 'postgres'), ...data, ...settings.flatMap((setting) => ['-c', setting])]
    this.#running ??= await ServerProcess.start(command, 'ready to accept connections', {
      ...postgres,
      cwd: this.#folder,
    })
  }

  /** At once, as when its machine fails. */
  async down(): Promise<void> {
    await this.#running?.stop('SIGQUIT')
    this.#running = undefined
  }

  async remove(): Promise<void> {
    await this.down()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
