import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { sources } from './columns.js'

const text = z.string().min(1)
const filter = z.union([text, z.strictObject({ filter: text, qos: z.literal([0, 1, 2]).optional() })], {
  error: 'it takes a topic filter, or { filter, qos }',
})
const ms = z.int().positive()

/** `$1` and so on, the highest of them. */
export const parametersIn = (query: string): number =>
  Math.max(0, ...[...query.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)))

const queryOf = (most: number, takes: string) =>
  text.refine((query) => parametersIn(query) >= 1 && parametersIn(query) <= most, `it takes ${takes}`)

const users = z.strictObject({
  /**
   * Given `$1` the user name, and where it asks for them `$2` the password, `$3` the Client Identifier, `$4` the address; answers
   * with one row: `password_hash`, or `allowed`, and perhaps `claims`. No row: somebody else's user.
   */
  query: queryOf(4, '$1, the user name, and if need be $2 to $4: password, Client Identifier, address'),
  /** A right password is known so long without a question; 0 = never. */
  cacheSeconds: z.int().nonnegative().default(60),
})

const rules = z.strictObject({
  /** Given `$1` the user name, and where it asks for it `$2` the Client Identifier; rows of `action`, `filter` and perhaps `effect`. */
  query: queryOf(2, '$1, the user name, and if need be $2, the Client Identifier'),
  /** Rules hold so long until they are asked for again; 0 = for one question. */
  cacheSeconds: z.int().nonnegative().default(60),
})

const messages = z.strictObject({
  /** The messages that are stored. */
  filters: z.array(filter).min(1),
  /** The table, perhaps with its schema. */
  table: text.default('mqtt_messages'),
  /** Which column has what of a message. */
  columns: z
    .record(text, z.enum(sources))
    .default({
      id: 'id',
      received_at: 'receivedAt',
      topic: 'topic',
      payload: 'payload',
      qos: 'qos',
      retain: 'retain',
      publisher: 'publisher',
    })
    .refine((columns) => Object.values(columns).includes('id'), 'one column takes id, by which each is stored once'),
  /** Make the table when it is not there. */
  createTable: z.boolean().default(true),
  /** Client Identifier of the session in which messages wait. */
  clientId: text.optional(),
  /** How long they wait while the plugin does not run. Seconds. Default: for ever. */
  expirySeconds: z.int().nonnegative().optional(),
  /** Messages in one transaction, at most. */
  maxBatchMessages: z.int().min(1).max(10_000).default(500),
  /** How long the first of them waits for others. */
  lingerMs: z.int().nonnegative().default(100),
  /** For one transaction. */
  timeoutMs: ms.default(30_000),
  firstRetryMs: ms.default(500),
  mostRetryMs: ms.default(10_000),
  /** A topic on which messages are published that the database refuses. Default: they are counted and told alone. */
  refusedTopic: text.optional(),
  /** In front of each id, where several brokers write into one table. */
  idPrefix: z.string().default(''),
})

/** What the plugin takes. */
export const postgresOptions = z
  .strictObject({
    /** Where the database is: `postgres://user@host/database`, with `?sslmode=verify-full` over a network. */
    connection: text.regex(/^postgres(ql)?:\/\//, 'it takes a URL such as postgres://godwit@db.example/iot'),
    /** The password of the user, better given by `passwordFile` or the environment. */
    password: text.optional(),
    /** A file with it. */
    passwordFile: text.optional(),
    /** Connections for questions about users and rules; the messages have one of their own. */
    maxConnections: z.int().min(1).max(100).default(4),
    /** For the answer to a question about users and rules. */
    timeoutMs: ms.default(2_000),
    /** Who may come in. Default: nobody by this plugin, and it says nothing of others. */
    users: users.optional(),
    /** Who may do what. Default: the plugin says nothing of it. */
    rules: rules.optional(),
    /** What is stored. Default: nothing. */
    messages: messages.optional(),
  })
  .check(({ value, issues }) => {
    const wrong = (path: string, message: string): void =>
      void issues.push({ code: 'custom', message, input: value, path: [path] })
    if (!(value.users ?? value.rules ?? value.messages)) wrong('messages', 'it needs users, rules or messages')
    if (value.password !== undefined && value.passwordFile !== undefined) {
      wrong('password', 'it takes one of password and passwordFile')
    }
  })

export type PostgresOptions = z.output<typeof postgresOptions>
export type MessageOptions = NonNullable<PostgresOptions['messages']>

/** @throws Error for a file that cannot be read. */
export function passwordOf({ password, passwordFile }: PostgresOptions): string | undefined {
  return passwordFile === undefined ? password : readFileSync(passwordFile, 'utf8').trim()
}
