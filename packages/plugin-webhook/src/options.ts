import { readFileSync } from 'node:fs'
import { serviceUrl } from '@godwit/broker/plugin'
import { z } from 'zod'

const text = z.string().min(1)
const filter = z.union([text, z.strictObject({ filter: text, qos: z.literal([0, 1, 2]).optional() })], {
  error: 'it takes a topic filter, or { filter, qos }',
})
const ms = z.int().positive()

/** What the plugin takes. */
export const webhookOptions = z
  .strictObject({
    /** Where batches are posted: https, or this machine. */
    url: text,
    /** Lets `url` go without TLS to another machine. */
    allowHttp: z.boolean().default(false),
    /** The messages that are sent. Default: none. */
    filters: z.array(filter).default([]),
    /** What becomes of clients that is sent too. Default: nothing. */
    events: z.array(z.enum(['connected', 'disconnected'])).default([]),
    /** What requests are signed with: `whsec_` and base64, or a text of 16 characters and more; several while one is changed. */
    secret: z.union([text, z.array(text).min(1)]).optional(),
    /** A file with it, or with several, one a line. */
    secretFile: text.optional(),
    /** Sent along. */
    headers: z.record(text, text).default({}),
    /** Client Identifier of the session in which messages wait. */
    clientId: text.optional(),
    /** How long they wait while the plugin does not run. Seconds. Default: for ever. */
    expirySeconds: z.int().nonnegative().optional(),
    /** Messages in a request, at most. */
    maxBatchMessages: z.int().min(1).max(10_000).default(100),
    /** Bytes of payload after which a request is closed. */
    maxBatchBytes: z.int().positive().default(262_144),
    /** How long the first message of a request waits for others. */
    lingerMs: z.int().nonnegative().default(100),
    /** For a request, with its answer. */
    timeoutMs: ms.default(10_000),
    firstRetryMs: ms.default(500),
    mostRetryMs: ms.default(30_000),
    /** A topic on which messages are published that the server refuses. Default: they are counted and told alone. */
    refusedTopic: text.optional(),
    /** In front of each id, where several brokers post to one server. */
    idPrefix: z.string().default(''),
  })
  .check(({ value, issues }) => {
    const wrong = (path: string, message: string): void =>
      void issues.push({ code: 'custom', message, input: value, path: [path] })
    const problem = problemOf(() => serviceUrl('url', value.url, value.allowHttp))
    if (problem !== undefined) wrong('url', problem)
    if (value.filters.length === 0 && value.events.length === 0) wrong('filters', 'it needs filters, or events')
    if (value.secret !== undefined && value.secretFile !== undefined) {
      wrong('secret', 'it takes one of secret and secretFile')
    }
  })

export type WebhookOptions = z.output<typeof webhookOptions>

function problemOf(make: () => unknown): string | undefined {
  try {
    make()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * The keys that requests are signed with; none: they are not.
 * @throws Error for a file that cannot be read, and for a secret that is too short.
 */
export function keysOf({ secret, secretFile }: Pick<WebhookOptions, 'secret' | 'secretFile'>): readonly Buffer[] {
  const given = secretFile === undefined ? [secret ?? []].flat() : linesOf(secretFile)
  return given.map((one) => {
    const key = one.startsWith('whsec_') ? Buffer.from(one.slice('whsec_'.length), 'base64') : Buffer.from(one)
    if (key.length < 16) throw new Error('a secret has 16 bytes or more: openssl rand -base64 24, with whsec_ in front')
    return key
  })
}

function linesOf(file: string): readonly string[] {
  const lines = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (lines.length === 0) throw new Error(`secretFile ${file} is empty`)
  return lines
}
