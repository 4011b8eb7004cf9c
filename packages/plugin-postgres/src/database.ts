import type { Logger } from '@godwit/broker'
import { HashQueue } from '@godwit/broker/access'
import { DatabaseError, Pool, type PoolConfig } from 'pg'

/** Questions that wait for a connection; beyond, there is no answer. */
const mostWaiting = 1_000

interface DatabaseOptions {
  readonly connection: string
  readonly password: string | undefined
  readonly maxConnections: number
  /** Milliseconds for a connection, and again for an answer. */
  readonly timeoutMs: number
  /** Is told once when it gives no answer, and when it does again. */
  readonly log: Logger
}

/** A PostgreSQL that may be away. Nothing is opened before the first question. */
export class Database {
  readonly #pool: Pool
  readonly #queue: HashQueue
  readonly #log: Logger
  /** What has been told last of a failure. */
  #failure: string | undefined

  constructor({ connection, password, maxConnections, timeoutMs, log }: DatabaseOptions) {
    const config: PoolConfig = {
      connectionString: connection,
      max: maxConnections,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      application_name: 'godwit',
      keepAlive: true,
      allowExitOnIdle: true,
      ...(password !== undefined && { password }),
    }
    this.#pool = new Pool(config)
    this.#log = log
    // A connection that ends while nobody uses it: without a listener it would end the process.
    this.#pool.on('error', ({ message }) => log.log('debug', 'a connection has ended', { error: message }))
    this.#queue = new HashQueue(maxConnections, mostWaiting)
  }

  /**
   * Its rows.
   * @throws Error when there is no answer in time; DatabaseError for what the database says.
   */
  async query(text: string, values: readonly unknown[]): Promise<readonly Record<string, unknown>[]> {
    const result = await this.#queue.run(() => this.#pool.query(text, [...values]))
    if (!result) throw new Error(`more than ${mostWaiting} questions wait for the database`)
    return result.rows as Record<string, unknown>[]
  }

  /** The same for what is asked again and again: a failure is told when it is another one than before. */
  async ask(text: string, values: readonly unknown[]): Promise<readonly Record<string, unknown>[]> {
    try {
      const rows = await this.query(text, values)
      if (this.#failure !== undefined) this.#log.log('info', 'the database answers again')
      this.#failure = undefined
      return rows
    } catch (error) {
      const failure = (error as Error).message || String((error as NodeJS.ErrnoException).code)
      if (failure !== this.#failure) this.#log.log('error', 'the database gives no answer', { error: failure })
      this.#failure = failure
      throw error
    }
  }

  /** Ends its connections, when those who ask have their answers. */
  async close(): Promise<void> {
    await this.#pool.end()
  }
}

/** Whether the database says that the data is to blame: classes 22 (data exception) and 23 (integrity constraint violation). */
export function refusesData(error: unknown): boolean {
  return error instanceof DatabaseError && /^2[23]/.test(error.code ?? '')
}
