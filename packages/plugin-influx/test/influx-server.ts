import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, ServerProcess } from '@godwit/broker/testing'

const installed = spawnSync('influxd', ['version']).error === undefined

/** Whether tests with InfluxDB are left out, visibly. With GODWIT_TEST_REQUIRE_PEERS they fail instead. */
export const skipped: boolean = !installed && !process.env.GODWIT_TEST_REQUIRE_PEERS
if (skipped) process.stderr.write('SKIPPED: with InfluxDB: it is not installed (apt-get install influxdb)\n')

/** A row of an answer, by the names of its columns. */
export type Row = Readonly<Record<string, string | number | boolean | null>>

/** An InfluxDB 1 of its own in a folder of its own, which can be stopped and started again. */
export class InfluxServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'godwit-influx-'))
  readonly #port: number
  #running: ServerProcess | undefined

  static async start(): Promise<InfluxServer> {
    const server = new InfluxServer(await freePort())
    await server.up()
    return server
  }

  private constructor(port: number) {
    this.#port = port
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Resolves when it takes requests. */
  async up(): Promise<void> {
    const env = {
      ...process.env,
      INFLUXDB_REPORTING_DISABLED: 'true',
      INFLUXDB_BIND_ADDRESS: '127.0.0.1:0',
      INFLUXDB_META_DIR: join(this.#folder, 'meta'),
      INFLUXDB_DATA_DIR: join(this.#folder, 'data'),
      INFLUXDB_DATA_WAL_DIR: join(this.#folder, 'wal'),
      INFLUXDB_HTTP_BIND_ADDRESS: `127.0.0.1:${this.#port}`,
      INFLUXDB_HTTP_LOG_ENABLED: 'false',
    }
    const command = ['influxd', 'run', '-config', '/dev/null']
    this.#running ??= await ServerProcess.start(command, 'Listening on HTTP', { env })
  }

  /** At once. */
  async down(): Promise<void> {
    await this.#running?.stop('SIGKILL')
    this.#running = undefined
  }

  async query(text: string, database = 'iot'): Promise<Row[]> {
    const parameters = new URLSearchParams({ q: text, db: database, epoch: 'ns' })
    const response = await fetch(`${this.url}/query`, { method: 'POST', body: parameters })
    const { results } = (await response.json()) as { results: [{ error?: string; series?: Series[] }] }
    const [{ error, series = [] }] = results
    if (error !== undefined) throw new Error(error)
    return series.flatMap(({ columns, values }) =>
      values.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null]))),
    )
  }

  async remove(): Promise<void> {
    await this.down()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

interface Series {
  readonly columns: readonly string[]
  readonly values: readonly (readonly (string | number | boolean | null)[])[]
}
