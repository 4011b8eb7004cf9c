import { readFileSync } from 'node:fs'
import { serviceUrl } from '@godwit/broker/plugin'
import { topicPattern } from '@godwit/protocol'
import { z } from 'zod'

const text = z.string().min(1)
const ms = z.int().positive()

const pattern = text.refine((value) => {
  try {
    return topicPattern(value).filter !== ''
  } catch {
    return false
  }
}, 'it takes a topic filter, whose wildcards may have names: home/+room/#rest')

const points = z.strictObject({
  /** The messages it is for. A wildcard that has a name gives a tag of that name: `home/+room/climate`. */
  filter: pattern,
  /** Highest QoS. */
  qos: z.literal([0, 1, 2]).default(1),
  /** `${name}` stands for what the wildcard of that name matches, `${topic}` for the topic. */
  measurement: text.default('mqtt'),
  /** In place of the tags from the names; the same may stand in them. */
  tags: z.record(text, z.string()).optional(),
  /** How a payload is read. `auto`: JSON where it is that, else text. */
  payload: z.enum(['auto', 'json', 'number', 'text']).default('auto'),
  /** The name of the field for a payload that is one value. */
  field: text.default('value'),
  /** Of a JSON object only these; nested ones by their way, `battery.level`. Default: all. */
  fields: z.array(text).min(1).optional(),
  /** Those that are written as integers. Default: none; a number is a float. */
  integers: z.array(text).default([]),
  /** The value of a JSON object that has the time, in `timeUnit` since 1970 or as a date in words. Default: when it came. */
  time: text.optional(),
  timeUnit: z.enum(['s', 'ms', 'us', 'ns']).default('ms'),
})

/** What the plugin takes. */
export const influxOptions = z
  .strictObject({
    /** Where InfluxDB is: https, or this machine. */
    url: text,
    /** Lets `url` go without TLS to another machine. */
    allowHttp: z.boolean().default(false),
    /** Of InfluxDB 2 and later: the bucket, */
    bucket: text.optional(),
    /** its organization, */
    org: text.optional(),
    /** and a token that may write there. */
    token: text.optional(),
    /** A file with the token. */
    tokenFile: text.optional(),
    /** Of InfluxDB 1: the database, */
    database: text.optional(),
    /** where not the default one, the retention policy, */
    retentionPolicy: text.optional(),
    /** the user, where it asks for one, */
    username: text.optional(),
    /** and the password. */
    password: text.optional(),
    /** A file with the password. */
    passwordFile: text.optional(),
    /** What becomes of messages; the first that matches a topic decides. */
    points: z.array(points).min(1),
    /** The unit of times in InfluxDB. With less than `ns` two messages of one moment and one series are one point. */
    precision: z.enum(['s', 'ms', 'us', 'ns']).default('ns'),
    /** Client Identifier of the session in which messages wait. */
    clientId: text.optional(),
    /** How long they wait while the plugin does not run. Seconds. Default: for ever. */
    expirySeconds: z.int().nonnegative().optional(),
    /** Messages in a request, at most. */
    maxBatchMessages: z.int().min(1).max(10_000).default(1_000),
    /** How long the first message of a request waits for others. */
    lingerMs: z.int().nonnegative().default(200),
    /** For a request, with its answer. */
    timeoutMs: ms.default(10_000),
    firstRetryMs: ms.default(500),
    mostRetryMs: ms.default(10_000),
    /** A topic on which messages are published that are refused. Default: they are counted and told alone. */
    refusedTopic: text.optional(),
  })
  .check(({ value, issues }) => {
    const wrong = (path: string, message: string): void =>
      void issues.push({ code: 'custom', message, input: value, path: [path] })
    const { url, allowHttp, bucket, database, org, token, tokenFile, password, passwordFile } = value
    try {
      serviceUrl('url', url, allowHttp)
    } catch (error) {
      wrong('url', (error as Error).message)
    }
    if ((bucket === undefined) === (database === undefined)) {
      wrong('bucket', 'it takes bucket (InfluxDB 2 and later) or database (InfluxDB 1)')
    }
    if (bucket !== undefined && org === undefined) wrong('org', 'a bucket needs its org')
    if (token !== undefined && tokenFile !== undefined) wrong('token', 'it takes one of token and tokenFile')
    if (password !== undefined && passwordFile !== undefined)
      wrong('password', 'it takes one of password and passwordFile')
  })

export type InfluxOptions = z.output<typeof influxOptions>
export type PointOptions = InfluxOptions['points'][number]

/** Where to write, and as whom. */
export interface WriteTarget {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

/** @throws Error for a file that cannot be read. */
export function writeTarget(options: InfluxOptions): WriteTarget {
  const { bucket, org, database, retentionPolicy, precision, username } = options
  const url = new URL(options.url)
  const folder = url.pathname.replace(/\/$/, '')
  const secret = secretOf(options)
  const parameters =
    bucket === undefined
      ? { db: database, rp: retentionPolicy, precision: precision === 'us' ? 'u' : precision }
      : { org, bucket, precision }
  url.pathname = `${folder}${bucket === undefined ? '/write' : '/api/v2/write'}`
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value)
  const authorization =
    bucket !== undefined
      ? secret && `Token ${secret}`
      : username && `Basic ${Buffer.from(`${username}:${secret ?? ''}`).toString('base64')}`
  return { url, headers: { 'content-type': 'text/plain; charset=utf-8', ...(authorization && { authorization }) } }
}

function secretOf({ token, tokenFile, password, passwordFile }: InfluxOptions): string | undefined {
  const file = tokenFile ?? passwordFile
  return file === undefined ? (token ?? password) : readFileSync(file, 'utf8').trim()
}
