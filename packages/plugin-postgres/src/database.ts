import { HashQueue } from '@godwit/broker/access'
import { DatabaseError, Pool, type PoolConfig } from 'pg'

/** Questions that wait for a connection; beyond, there is no answer. */
const mostWaiting = 1_000

export interface DatabaseOptions {
  readonly connection: string
  readonly password: string | undefined
  readonly maxConnections: number
  /** Milliseconds for a connection, and again for an answer. */
  readonly timeoutMs: number
  /** Is told of connections that end while nobody uses them. */
  readonly onError: (error: Error) => void
}

/** A PostgreSQL that may be away. Nothing is opened before the first question. */
export class Database {
  readonly #pool: Pool
  readonly #queue: HashQueue

  constructor({ connection, password, maxConnections, timeoutMs, onError }: DatabaseOptions) {
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
    this.#pool.on('error', onError) // else it ends the process
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

  /** Ends its connections, when those who ask have their answers. */
  async close(): Promise<void> {
    await this.#pool.end()
  }
}

/** Whether the database says that the data is to blame: classes 22 (data exception) and 23 (integrity constraint violation). */
export function refusesData(error: unknown): boolean {
  return error instanceof DatabaseError && /^2[23]/.test(error.code ?? '')
}
