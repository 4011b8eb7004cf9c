import { z } from 'zod'
import { hidden } from './secrets.js'

const text = z.string().min(1)
const flag = z.boolean()
const secret = text.refine((value) => value !== hidden, `${hidden} is what config print shows; say the secret itself`)
const seconds = (what: string) =>
  z.union([z.int().min(0).max(4_294_967_294), z.literal('never')], {
    error: `it takes whole seconds, or never: ${what}`,
  })

const url = text.regex(/^(mqtts?|tcp|tls|ssl|wss?|unix):\/\//i, 'it takes mqtt://, mqtts://, ws://, wss:// or unix://')

const topic = z.strictObject({
  filter: z
    .string()
    .describe('What follows the prefix on both sides: a topic filter; `""` is the topic that both prefixes are.'),
  direction: z.enum(['out', 'in', 'both']).describe('`out`: from here to the other broker; `in`: from there; `both`.'),
  qos: z.literal([0, 1, 2]).default(1).describe('The highest QoS that messages are carried at.'),
  localPrefix: z.string().default('').describe('What topics begin with here.'),
  remotePrefix: z.string().default('').describe('What they begin with on the other broker instead.'),
})

const tls = z
  .strictObject({
    ca: z
      .union([text, z.array(text).min(1)], { error: 'it takes a PEM file, or a list of them' })
      .describe(
        'PEM file, or a list of them: who signs the certificate of the other broker. Default: those Node knows.',
      ),
    cert: text.describe('PEM file: the certificate of this bridge. Needs `key`.'),
    key: text.describe('PEM file: its key.'),
    passphrase: secret.describe('Of the key. Better given by `passphraseFile` or the environment.'),
    passphraseFile: text.describe('A file that holds it.'),
    servername: text.describe('The name that the certificate must be for. Default: that of the URL.'),
    checkServername: flag.describe('`false`: any name will do, if the CA is right. Default true.'),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).describe('The oldest TLS spoken. Default `TLSv1.2`.'),
    alpn: z.array(text).describe('Protocols to ask for by ALPN. Default: none.'),
  })
  .partial()
  .check(({ value, issues }) => {
    const { cert, key, passphrase, passphraseFile } = value
    const wrong =
      (cert === undefined) !== (key === undefined)
        ? (['cert', 'cert and key go together'] as const)
        : passphrase !== undefined && passphraseFile !== undefined
          ? (['passphrase', 'it takes one of passphrase and passphraseFile'] as const)
          : undefined
    if (wrong) issues.push({ code: 'custom', message: wrong[1], input: value, path: [wrong[0]] })
  })

const state = z.union([
  z.literal(false),
  z.strictObject({
    topic: text.optional().describe('Default `$SYS/broker/connection/CLIENTID/state`, as mosquitto has it.'),
    localOnly: flag.default(false).describe('`true`: it is told here alone.'),
  }),
])

/** A bridge to another broker. */
const bridgeSchema = z
  .strictObject({
    name: text
      .regex(/^[\w.-]+$/, 'it takes letters, digits, dots, hyphens and underscores')
      .describe('In log lines, metrics and `godwit bridge test NAME`; one bridge of a name.'),
    url: z
      .union([url, z.array(url).min(1)], {
        error: 'it takes a URL such as mqtts://broker.example:8883, or a list of them',
      })
      .describe(
        'The other broker: `mqtt://`, `mqtts://`, `ws://`, `wss://` or `unix://`. Of a list one after another is tried.',
      ),
    topics: z.array(topic).min(1).describe('What is carried, and which way; see below.'),
    clientId: text
      .optional()
      .describe('The Client Identifier over there. Default: the name of this machine, a dot, and `name`.'),
    localClientId: text.optional().describe('That of the session here, in which messages wait. Default `bridge/NAME`.'),
    username: text.optional().describe('As whom it connects.'),
    password: secret.optional().describe('Better given by `passwordFrom` or the environment.'),
    passwordFrom: text.optional().describe('A file whose first line is the password.'),
    version: z
      .union([z.literal([5, 4, 3, 3.1, '5.0', '3.1.1', '3.1'])], { error: 'it takes 5.0, 3.1.1 or 3.1' })
      .optional()
      .describe('MQTT 5.0, 3.1.1 or 3.1. Default: 5.0, and 3.1.1 where the other broker does not know that.'),
    tls: tls.optional().describe('For mqtts and wss; see below.'),
    proxy: text
      .optional()
      .describe('A proxy on the way: `socks5h://[user:password@]host[:port]`, or `http://` or `https://` (CONNECT).'),
    keepAliveSeconds: z.int().min(0).max(65_535).default(60).describe('At least so often something is sent.'),
    expirySeconds: seconds('how long what waits is kept')
      .default('never')
      .describe('How long both sessions outlive the connection; `0`: nothing waits, on either side.'),
    maxInflight: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe(
        'Messages at QoS 1 and 2 that may be on their way. Default: what the other broker takes, 1,000 at most; below 5.0 20.',
      ),
    receiveMaximum: z.int().min(1).max(65_535).optional().describe('The same for what comes in (5.0). Default 65,535.'),
    maxPacketBytes: z
      .int()
      .min(20)
      .max(268_435_460)
      .optional()
      .describe('The largest packet taken. Default: the most there is.'),
    topicAliasMaximum: z
      .int()
      .min(0)
      .max(65_535)
      .default(10)
      .describe('Topic aliases that the other broker may use (5.0).'),
    outgoingRetain: flag.default(true).describe('`false`: RETAIN is taken off what goes out.'),
    bridgeProtocol: flag
      .default(true)
      .describe('Below 5.0, tell the other broker that this is a bridge (`0x84`, as mosquitto’s `try_private`).'),
    state: state
      .optional()
      .describe(
        '`false`, or `topic` and `localOnly`: whether and where `1` and `0` say if it is connected. Default: on both brokers.',
      ),
    reconnect: z
      .strictObject({
        initialMs: z.int().min(1).default(500).describe('The first wait at most; each round doubles it.'),
        maxMs: z.int().min(1).default(30_000).describe('The longest wait.'),
      })
      .optional()
      .describe('How long it waits before the next attempt: a random time below these.'),
  })
  .check(({ value, issues }) => {
    const { url: given, tls: encrypted, password, passwordFrom } = value
    const urls = [given].flat()
    const wrong =
      encrypted && urls.some((one) => !/^(mqtts|tls|ssl|wss):/i.test(one))
        ? (['tls', 'tls is for mqtts:// and wss://'] as const)
        : password !== undefined && passwordFrom !== undefined
          ? (['password', 'it takes one of password and passwordFrom'] as const)
          : undefined
    if (wrong) issues.push({ code: 'custom', message: wrong[1], input: value, path: [wrong[0]] })
  })

/** All of them. */
export const bridgesSchema = z.array(bridgeSchema).check(({ value, issues }) => {
  const names = new Map<string, number>()
  for (const [at, { name }] of value.entries()) {
    if (names.has(name)) {
      issues.push({ code: 'custom', message: `there is a bridge ${name} already`, input: name, path: [at, 'name'] })
    }
    names.set(name, at)
  }
})

export type BridgeConfig = z.output<typeof bridgeSchema>
