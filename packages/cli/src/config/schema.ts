import { defaultLimits, type Limits, limitRange } from '@godwit/broker'
import { z } from 'zod'
import { bytesOf } from '../argument-values.js'
import { logFormats, logLevels } from '../log.js'
import { monitoringAddress } from '../monitoring/monitoring-address.js'
import { bridgesSchema } from './bridge-schema.js'
import { limitDescriptions } from './limit-descriptions.js'
import { hidden } from './secrets.js'

const port = z.int().min(0).max(65_535)
const text = z.string().min(1)
const flag = z.boolean()
/** Never shown, and never taken from what `config print` has shown. */
const secret = text.refine((value) => value !== hidden, `${hidden} is what config print shows; say the secret itself`)

const sizeForm = 'it takes a size such as 1048576 or "512MiB"'
const sizeInWords = z.string().regex(/^\d+(\.\d+)?\s*[A-Za-z]*$/, sizeForm)

function size(least: number, most: number): z.ZodType<number, number | string> {
  const range = most === Number.MAX_SAFE_INTEGER ? `it takes ${least} or more` : `it takes ${least} to ${most} bytes`
  return z
    .union([z.int().nonnegative(), sizeInWords], { error: sizeForm })
    .transform((value) => (typeof value === 'string' ? (bytesOf(value) ?? Number.NaN) : value))
    .refine((value) => Number.isSafeInteger(value), sizeForm)
    .refine((value) => !(value < least || value > most), range)
}

/** One key a limit of the broker: what a limit may be, its default and what it means are the broker's to say. */
const limits = z
  .strictObject(
    Object.fromEntries(
      (Object.keys(defaultLimits) as (keyof Limits)[]).map((name) => {
        const [least, most] = limitRange(name)
        const value = name.endsWith('Bytes') ? size(least, most) : z.int().min(least).max(most)
        return [name, value.describe(limitDescriptions[name] ?? '')]
      }),
    ) as Record<keyof Limits, z.ZodType<number, number | string>>,
  )
  .partial()

const tls = z
  .strictObject({
    cert: text.describe('PEM file: the certificate of the broker, followed by those between it and its CA.'),
    key: text.describe('PEM file: its key.'),
    passphrase: secret.optional().describe('Of the key. Better given by `passphraseFile` or the environment.'),
    passphraseFile: text.optional().describe('A file that holds it.'),
    ca: z
      .union([text, z.array(text).min(1)], { error: 'it takes a PEM file, or a list of them' })
      .optional()
      .describe('PEM file, or a list of them: who signs the certificates of clients.'),
    crl: text.optional().describe('PEM file: certificates the CA has revoked. Needs `ca`.'),
    requestCert: flag.default(false).describe('Whether a client needs a certificate of `ca`.'),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('The oldest TLS taken.'),
    ciphers: text.optional().describe('Of TLS 1.2, in OpenSSL’s form. Default: those of Node.'),
    alpn: z
      .array(text)
      .optional()
      .describe('Protocols offered by ALPN, the preferred first; a client that asks for none of them is refused.'),
    sessionSeconds: z
      .int()
      .min(0)
      .max(604_800)
      .default(7_200)
      .describe('How long a client that comes again may go on with its TLS session; 0 = never.'),
  })
  .check(({ value, issues }) => {
    const { passphrase, passphraseFile, ca, crl, requestCert } = value
    const wrong =
      passphrase !== undefined && passphraseFile !== undefined
        ? (['passphrase', 'it takes one of passphrase and passphraseFile'] as const)
        : requestCert && ca === undefined
          ? (['requestCert', 'it needs ca: who signs the certificates of clients'] as const)
          : crl !== undefined && ca === undefined
            ? (['crl', 'it needs ca: who revokes'] as const)
            : undefined
    if (wrong) issues.push({ code: 'custom', message: wrong[1], input: value, path: [wrong[0]] })
  })

const jwt = z
  .strictObject({
    secret: secret.describe('What tokens are signed with. Better given by `secretFile` or the environment.'),
    secretFile: text.describe('A file that holds it.'),
    publicKeyFile: text.describe('A public key or certificate, PEM.'),
    jwksUrl: text.describe('Where the issuer shows its keys: https, or this machine.'),
    allowHttp: flag.describe('Let `jwksUrl` go without TLS to another machine. Default false.'),
    timeoutMs: z.int().positive().describe('For the keys to come. Default 5,000.'),
    cacheSeconds: z.int().nonnegative().describe('Fetched keys are good so long. Default 600.'),
    issuer: text.describe('Who must have issued the token.'),
    audience: text.describe('Whom it must be for.'),
    algorithms: z.array(text).describe('Signatures taken. Default: all that fit the kind of key, never `none`.'),
    usernameClaim: text.describe('The claim that is the user name. Default `sub`.'),
    clockTolerance: z.int().nonnegative().describe('Seconds by which clocks may differ. Default 5.'),
  })
  .partial()
  .check(({ value, issues }) => {
    const { secret: given, secretFile, publicKeyFile, jwksUrl } = value
    if ([given, secretFile, publicKeyFile, jwksUrl].filter((one) => one !== undefined).length === 1) return
    const message = 'it takes exactly one of secret, secretFile, publicKeyFile and jwksUrl'
    issues.push({ code: 'custom', message, input: value, path: [] })
  })

const http = z.strictObject({
  url: text.describe('Is sent a POST of JSON for each CONNECT that nobody before it knew: https, or this machine.'),
  allowHttp: flag.optional().describe('Let `url` go without TLS to another machine. Default false.'),
  headers: z
    .record(text, secret)
    .optional()
    .describe('Sent along, such as `authorization`. Better given by `headersFile` or the environment.'),
  headersFile: text.optional().describe('A file that holds them: lines of `name: value`.'),
  timeoutMs: z.int().positive().optional().describe('For the whole answer. Default 2,000.'),
  cacheSeconds: z.int().nonnegative().optional().describe('An answer holds so long. Default 60.'),
  maxConcurrent: z.int().positive().optional().describe('Requests under way at once. Default 100.'),
})

const backOff = z
  .strictObject({
    afterFailures: z.int().positive().describe('Different wrong credentials before an address has to wait. Default 5.'),
    firstMs: z.int().positive().describe('The first wait; each further failure doubles it. Default 1,000.'),
    mostMs: z.int().positive().describe('The longest wait. Default 60,000.'),
    forgetMs: z.int().positive().describe('Without a failure for so long, an address is forgotten. Default 600,000.'),
  })
  .partial()

const auth = z
  .strictObject({
    certificate: z
      .enum(['cn', 'san-dns', 'san-email'])
      .describe('The client certificate says who a client is: which name in it.'),
    passwordFile: text.describe('Made by `godwit passwd` or mosquitto_passwd.'),
    jwt: jwt.describe('A token in the password field; exactly one of secret, secretFile, publicKeyFile, jwksUrl.'),
    http: http.describe('A service that is asked.'),
    backOff: backOff.describe('How addresses that keep failing are made to wait.'),
  })
  .partial()

const acl = z
  .strictObject({
    file: text.describe('Rules in our YAML form (.yaml, .yml, .json), or mosquitto’s acl_file (any other name).'),
    rules: z.array(z.unknown()).describe('Rules in place; see docs/security.md.'),
  })
  .partial()
  .check(({ value, issues }) => {
    if (value.file === undefined || value.rules === undefined) return
    issues.push({ code: 'custom', message: 'acl takes one of file and rules, not both', input: value, path: ['rules'] })
  })

const listener = z
  .strictObject({
    protocol: z
      .enum(['mqtt', 'mqtts', 'ws', 'wss'])
      .default('mqtt')
      .describe('MQTT over TCP or a Unix socket, over TLS, over WebSocket, over WebSocket with TLS.'),
    name: text
      .max(64)
      .optional()
      .describe('What logs, hooks and other nodes of a cluster call it. Default: protocol, address and port.'),
    host: text.default('127.0.0.1').describe('Address to listen on. The default is reached from this machine only.'),
    port: port.optional().describe('0 takes any free port. Default 1883, mqtts 8883, ws 8083, wss 8084.'),
    socket: text.optional().describe('A Unix socket instead of host and port: its path.'),
    socketMode: z
      .string()
      .regex(/^[0-7]{3,4}$/, 'it takes permissions in octal, in quotes, such as "660"')
      .optional()
      .describe('Permissions of that socket, in octal. Default `"660"`: the user and the group.'),
    path: text
      .regex(/^(\/|\*$)/, 'it begins with /, or is *')
      .optional()
      .describe('Of WebSocket, in the URL; `*` = any. Default `/mqtt`.'),
    origins: z.array(text).optional().describe('Of WebSocket: web pages that may connect, as `https://app.example`.'),
    tls: tls.optional().describe('For mqtts and wss; see below.'),
    proxyProtocol: z
      .array(text)
      .optional()
      .describe('Addresses or networks of proxies that say by PROXY protocol whom they connect for.'),
    handshakeTimeoutMs: z
      .int()
      .positive()
      .optional()
      .describe('For all that precedes MQTT together: PROXY header, TLS handshake, WebSocket upgrade. Default 10,000.'),
    maxHandshakes: z
      .int()
      .positive()
      .optional()
      .describe('Connections that may be at that at once; the next is closed. Default 1,000.'),
    auth: auth.optional().describe('Who may come in here, instead of the `auth` outside; the same keys.'),
    acl: acl.optional().describe('Who may do what that came in here, instead of the `acl` outside; the same keys.'),
    allowAnonymous: flag.optional().describe('The same as outside, for this listener.'),
  })
  .check(({ value, issues }) => {
    const { protocol, socket, socketMode, proxyProtocol } = value
    const wrong =
      /s$/.test(protocol) && protocol !== 'ws' && !value.tls
        ? `${protocol} needs tls, with cert and key`
        : value.tls && (protocol === 'mqtt' || protocol === 'ws')
          ? `tls is for ${protocol}s; say protocol: ${protocol}s`
          : (value.path ?? value.origins) && !protocol.startsWith('ws')
            ? 'path and origins are for ws and wss'
            : undefined
    if (wrong) issues.push({ code: 'custom', message: wrong, input: value, path: ['protocol'] })
    if (socketMode !== undefined && socket === undefined)
      issues.push({ code: 'custom', message: 'it is for a socket', input: value, path: ['socketMode'] })
    if (proxyProtocol && socket !== undefined) {
      const message = 'it is not for a Unix socket: its peers have no address'
      issues.push({ code: 'custom', message, input: value, path: ['proxyProtocol'] })
    }
  })

/** Of TLS what a server for browsers needs. */
const httpTls = z
  .strictObject({
    cert: text.describe('PEM file: the certificate of the server, followed by those between it and its CA.'),
    key: text.describe('PEM file: its key.'),
    passphrase: secret.optional().describe('Of the key. Better given by `passphraseFile` or the environment.'),
    passphraseFile: text.optional().describe('A file that holds it.'),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('The oldest TLS taken.'),
  })
  .check(({ value, issues }) => {
    if (value.passphrase === undefined || value.passphraseFile === undefined) return
    const message = 'it takes one of passphrase and passphraseFile'
    issues.push({ code: 'custom', message, input: value, path: ['passphrase'] })
  })

const httpServer = z.strictObject({
  listen: z
    .union(
      [port, z.literal(false), text.refine((value) => value === 'none' || monitoringAddress(value) !== undefined)],
      {
        error: 'it takes a port, host:port such as "127.0.0.1:18083", or none',
      },
    )
    .default('127.0.0.1:18083')
    .describe('A port of this machine, or `host:port`; `none` or `false`: it is not served.'),
  tls: httpTls.optional().describe('Serves it over TLS.'),
  publicUrl: z
    .url({ protocol: /^https?$/, error: 'it takes a URL such as "https://mqtt.example"' })
    .optional()
    .describe(
      'Where browsers find it, behind a proxy or under a name: `https://mqtt.example`. Default: loopback names alone.',
    ),
  allowInsecure: flag
    .default(false)
    .describe(
      'Serve it without TLS to other machines too: behind a proxy that has TLS, in a network that is your own.',
    ),
  tokensFile: text
    .optional()
    .describe('The file of `godwit token`. Default `http-tokens.json` in the data folder; with `data: memory`, none.'),
})

const name = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'it takes up to 64 letters, digits, "_" and "-"')

const cluster = z.strictObject({
  name: name.describe('Of the cluster; its streams in NATS have it in their names.'),
  node: name.optional().describe("Of this node, as no other has it. Default: the host's name, up to its first dot."),
  servers: z
    .array(text.regex(/^(nats|tls):\/\//, 'it takes a URL such as "nats://10.0.0.1:4222"'))
    .min(1)
    .describe(
      'NATS servers, as `nats://10.0.0.1:4222`; `tls://` asks for TLS. One that answers is enough to find the others.',
    ),
  credentialsFile: text.optional().describe('Credentials of a user of NATS, as `nsc` writes them.'),
  user: text.optional().describe('User name, where there are no credentials.'),
  password: secret.optional().describe('Its password. Better given by `passwordFile` or the environment.'),
  passwordFile: text.optional().describe('A file that holds it.'),
  tls: z
    .strictObject({
      ca: text.optional().describe('PEM file: who signs the certificates of the servers.'),
      cert: text.optional().describe('PEM file: the certificate of this node, where the servers ask for one.'),
      key: text.optional().describe('PEM file: its key.'),
    })
    .optional()
    .describe('Towards the NATS servers.'),
  replicas: z
    .int()
    .min(1)
    .max(5)
    .default(3)
    .describe(
      'Servers that have a copy of the log, where it is made. With 1, nothing is safe when its machine is lost.',
    ),
  logBytes: size(10_000_000, Number.MAX_SAFE_INTEGER)
    .default(4_294_967_296)
    .describe('Bytes that the log may take on each server, where it is made.'),
  monitoring: z
    .array(text.regex(/^https?:\/\//, 'it takes a URL such as "http://10.0.0.1:8222"'))
    .default([])
    .describe(
      'Monitoring addresses of the NATS servers: they say whether frames are on disk before they are acknowledged.',
    ),
  allowUnsynced: flag
    .default(false)
    .describe(
      'Serve although NATS acknowledges before frames are on disk: a power cut may then take acknowledged messages.',
    ),
  leaseMs: z
    .int()
    .min(1_000)
    .max(60_000)
    .default(3_000)
    .describe('How long the owner must have been silent before another node takes over.'),
  holdMs: z
    .int()
    .min(1_000)
    .max(600_000)
    .default(15_000)
    .describe('How long clients wait for NATS before what needs it is refused, and `/readyz` says so.'),
  preferred: flag.default(false).describe('Take over before other nodes do.'),
  forward: z
    .strictObject({
      listen: text
        .refine((value) => monitoringAddress(value) !== undefined, { error: 'it takes host:port, as "10.0.1.1:1884"' })
        .describe('Where other nodes reach this one, and nobody else comes in: `host:port`.'),
      names: z
        .array(text)
        .default([])
        .describe('The other nodes, as their certificates name them: a DNS name, or the Common Name.'),
      tls: z
        .strictObject({
          cert: text.describe('PEM file: the certificate of this node, followed by those between it and its CA.'),
          key: text.describe('PEM file: its key.'),
          passphrase: secret.optional().describe('Of the key. Better given by `passphraseFile` or the environment.'),
          passphraseFile: text.optional().describe('A file that holds it.'),
          ca: text.describe('PEM file: who signs the certificates of nodes.'),
        })
        .optional()
        .describe('Between nodes, on both sides. Left out only on one machine.'),
    })
    .optional()
    .describe(
      'This node has its listeners open whoever serves, and passes its clients on. Default: they are open while it serves.',
    ),
})

const features = z
  .strictObject({
    mqtt31: flag.describe('Serve MQTT 3.1 too. Default false.'),
    bridgeProtocol: flag.describe(
      'Serve a bridge of mosquitto or VerneMQ that marks itself (`try_private`) as one: nothing comes back to it, RETAIN stays as published. Default true.',
    ),
    bridgeUsers: z
      .array(text)
      .describe(
        'Users under whose names bridges of other Godwits come, where bridges make a ring or a net: what they bring by several ways is taken once. Default: none.',
      ),
    maximumQos: z.literal([0, 1, 2]).describe('The highest QoS offered. Default 2.'),
    retainAvailable: flag.describe('Keep retained messages. Default true.'),
    wildcardSubscriptions: flag.describe('Allow `+` and `#` in filters. Default true.'),
    sharedSubscriptions: flag.describe('Offer `$share/NAME/FILTER`, at 3.1.1 too. Default true.'),
    sharedHandOverAtDisconnect: flag.describe(
      'What a member of a shared subscription has not acknowledged goes to another as soon as it disconnects. Default true.',
    ),
    subscriptionIdentifiers: flag.describe('Offer Subscription Identifiers at 5.0. Default true.'),
    emptyClientIds: flag.describe('Give a Client Identifier to a client that brings none. Default true.'),
    controlCharacters: flag.describe(
      'Take strings with control characters and Unicode non-characters; U+0000 never. Default false.',
    ),
    checkPayloadFormat: flag.describe('Refuse a payload that says it is UTF-8 and is not. Default false.'),
    willsAfterRestart: z
      .enum(['publish', 'drop'])
      .describe('What becomes of wills that were pending when the broker ended. Default publish.'),
    publishBeyondRate: z
      .enum(['slow', 'refuse'])
      .describe('What becomes of a client beyond its publish rate: read from later, or refused. Default slow.'),
  })
  .partial()

const plugin = z.strictObject({
  module: text.describe(
    'A file of JavaScript, which begins with `./`, `../` or `/`, or the name of a package; TypeScript where Node runs it.',
  ),
  name: text
    .regex(/^[\w.-]{1,64}$/, 'it takes letters, digits, -, _ and ., 64 at most')
    .optional()
    .describe('In place of the name that it gives itself, where it is there twice.'),
  options: z
    .record(text, z.unknown())
    .optional()
    .describe('What it takes is the plugin’s to say. A key that ends in `File` is a path.'),
})

/** The configuration, whole: what file, environment and flags may say. */
export const configSchema = z.strictObject({
  listeners: z.array(listener).min(1).describe('Where the broker listens.'),
  allowAnonymous: flag.describe(
    'Let clients in that do not say who they are: without `auth` all clients, needed to listen beyond this machine; with `auth` those without user name and password.',
  ),
  auth: auth.describe('Who may come in, asked in the order certificate, passwordFile, jwt, http. Default: anyone.'),
  acl: acl.describe('Who may do what: one of file and rules. Default: everybody everything.'),
  data: text.describe('The folder in which data is kept, or `memory`.'),
  control: z
    .union([text, z.literal(false)], { error: 'it takes a path, or none' })
    .optional()
    .describe(
      'Path of the Unix socket for `godwit reload`, `trace`, `top`, `clients` and the other commands that ask a running broker; `none` or `false`: there is none. Default `control.sock` in the data folder.',
    ),
  backup: z
    .strictObject({
      directory: text
        .optional()
        .describe('The folder that `godwit backup` writes into; made when it is not there. Default: none.'),
    })
    .describe('Copies of the data that are made while the broker runs.'),
  metrics: z
    .union([port, text.refine((value) => monitoringAddress(value) !== undefined)], {
      error: 'it takes a port, or host:port such as "127.0.0.1:9464"',
    })
    .optional()
    .describe(
      'Where `/metrics` (for Prometheus), `/healthz` and `/readyz` are shown over HTTP, to anyone who can reach it: a port of this machine, or `host:port`. Default: nowhere.',
    ),
  http: httpServer.describe(
    'The HTTP API and the console, for who shows a token of `godwit token` or has a login link of `godwit console`; beyond this machine only with `tls` or `allowInsecure`.',
  ),
  plugins: z
    .array(plugin)
    .describe('Programs that run inside the broker, in this order; see docs/plugins.md. Default: none.'),
  bridges: bridgesSchema.describe('Bridges to other brokers; see below, and docs/bridges.md.'),
  cluster: cluster
    .optional()
    .describe('This broker is one of several, on a log in NATS JetStream; see docs/cluster.md. Default: it is alone.'),
  limits: limits.describe('Every bound the broker keeps; see below.'),
  features: features.describe('Parts of MQTT that can be switched on and off.'),
  sysIntervalSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .describe('Seconds between updates of the `$SYS` topics; 0 = there are none.'),
  log: z
    .strictObject({
      level: z.enum(logLevels).default('info').describe('The least to log.'),
      format: z
        .enum(logFormats)
        .default('auto')
        .describe('`auto` is text where stderr is a terminal, else `json`: one object a line.'),
      file: text
        .optional()
        .describe('A file for it, instead of stderr; lines are added, and SIGHUP and `godwit reload` open it anew.'),
      stderr: flag.optional().describe('Whether it goes to stderr too. Default: where there is no `file`.'),
    })
    .describe('What the broker tells about its work, on stderr or in a file.'),
})

/** A configuration with every default filled in. */
export type Config = z.output<typeof configSchema>

/** What holds where nobody says anything else. */
export const defaults = {
  listeners: [{}],
  allowAnonymous: false,
  auth: {},
  acl: {},
  data: './godwit-data',
  backup: {},
  http: { listen: '127.0.0.1:18083', allowInsecure: false },
  plugins: [],
  bridges: [],
  limits: defaultLimits,
  features: {
    mqtt31: false,
    bridgeProtocol: true,
    bridgeUsers: [],
    maximumQos: 2,
    retainAvailable: true,
    wildcardSubscriptions: true,
    sharedSubscriptions: true,
    sharedHandOverAtDisconnect: true,
    subscriptionIdentifiers: true,
    emptyClientIds: true,
    controlCharacters: false,
    checkPayloadFormat: false,
    willsAfterRestart: 'publish',
    publishBeyondRate: 'slow',
  },
  sysIntervalSeconds: 10,
  log: { level: 'info', format: 'auto' },
} as const satisfies z.input<typeof configSchema>

/** For editors that check a file while it is written (`# yaml-language-server: $schema=`). */
export function jsonSchema(): object {
  const schema = z.toJSONSchema(configSchema.partial(), { io: 'input', target: 'draft-7' })
  return { title: 'Configuration of godwit broker', ...schema }
}
