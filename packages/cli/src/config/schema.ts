import { defaultLimits, type Limits } from '@godwit/broker'
import { z } from 'zod'
import { bytesOf } from '../argument-values.js'
import { logLevels } from '../text-log.js'

const port = z.int().min(0).max(65_535)
const text = z.string().min(1)

const size = z
  .union([z.int().nonnegative(), z.string()])
  .transform((value) => (typeof value === 'string' ? (bytesOf(value) ?? Number.NaN) : value))
  .refine((value) => Number.isSafeInteger(value), 'it takes a size such as 1048576 or "512MiB"')

/** One key a limit of the broker: what a limit may be, and its default, is the broker's to say. */
const limits = z
  .strictObject(
    Object.fromEntries(
      Object.keys(defaultLimits).map((name) => [name, name.endsWith('Bytes') ? size : z.int().nonnegative()]),
    ) as Record<keyof Limits, typeof size>,
  )
  .partial()

const tls = z.strictObject({
  cert: text.describe('PEM file: the certificate of the broker, followed by those between it and its CA.'),
  key: text.describe('PEM file: its key.'),
  passphrase: text.optional().describe('Of the key. Better given by the environment.'),
  ca: text.optional().describe('PEM file: who signs the certificates of clients.'),
  crl: text.optional().describe('PEM file: certificates the CA has revoked.'),
  requestCert: z.boolean().default(false).describe('Whether a client needs a certificate of `ca`.'),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('The oldest TLS taken.'),
})

const listener = z
  .strictObject({
    protocol: z
      .enum(['mqtt', 'mqtts', 'ws', 'wss'])
      .default('mqtt')
      .describe('MQTT over TCP or a Unix socket, over TLS, over WebSocket, over WebSocket with TLS.'),
    host: text.default('127.0.0.1').describe('Address to listen on. The default is reached from this machine only.'),
    port: port.optional().describe('0 takes any free port. Default 1883, mqtts 8883, ws 8083, wss 8084.'),
    socket: text.optional().describe('A Unix socket instead of host and port: its path.'),
    path: text.optional().describe('Of WebSocket, in the URL. Default `/mqtt`.'),
    origins: z.array(text).optional().describe('Of WebSocket: web pages that may connect, as `https://app.example`.'),
    tls: tls.optional().describe('For mqtts and wss; see below.'),
    proxyProtocol: z
      .array(text)
      .optional()
      .describe('Addresses or networks of proxies that say by PROXY protocol whom they connect for.'),
  })
  .check(({ value, issues }) => {
    const { protocol } = value
    const wrong =
      /s$/.test(protocol) && protocol !== 'ws' && !value.tls
        ? `${protocol} needs tls, with cert and key`
        : value.tls && (protocol === 'mqtt' || protocol === 'ws')
          ? `tls is for ${protocol}s`
          : (value.path ?? value.origins) && !protocol.startsWith('ws')
            ? 'path and origins are for ws and wss'
            : undefined
    if (wrong) issues.push({ code: 'custom', message: wrong, input: value, path: ['protocol'] })
  })

const auth = z
  .strictObject({
    certificate: z
      .enum(['cn', 'san-dns', 'san-email'])
      .describe('The client certificate says who a client is: which name in it.'),
    passwordFile: text.describe('Made by `godwit passwd` or mosquitto_passwd.'),
    jwt: z
      .strictObject({
        secret: text.describe('What tokens are signed with. Better given by the environment, or `secretFile`.'),
        secretFile: text.describe('A file that holds it.'),
        publicKeyFile: text.describe('A public key or certificate, PEM.'),
        jwksUrl: text.describe('Where the issuer shows its keys.'),
        issuer: text.describe('Who must have issued the token.'),
        audience: text.describe('Whom it must be for.'),
        algorithms: z.array(text).describe('Signatures taken.'),
        usernameClaim: text.describe('The claim that is the user name. Default `sub`.'),
      })
      .partial()
      .describe('A token in the password field; exactly one of secret, secretFile, publicKeyFile, jwksUrl.'),
    http: z
      .strictObject({
        url: text.describe('Is sent a POST of JSON for each CONNECT that nobody before it knew.'),
        timeoutMs: z.int().positive().optional().describe('For the whole answer. Default 2,000.'),
        cacheSeconds: z.int().nonnegative().optional().describe('An answer holds so long. Default 60.'),
      })
      .describe('A service that is asked.'),
  })
  .partial()

const acl = z
  .strictObject({
    file: text.describe('Rules in our YAML form, or mosquitto’s acl_file.'),
    rules: z.array(z.unknown()).describe('Rules in place; see docs/security.md.'),
  })
  .partial()

const features = z
  .strictObject({
    mqtt31: z.boolean().describe('Serve MQTT 3.1 too. Default false.'),
    maximumQos: z.union([z.literal(0), z.literal(1), z.literal(2)]).describe('The highest QoS offered. Default 2.'),
    retainAvailable: z.boolean().describe('Keep retained messages. Default true.'),
    wildcardSubscriptions: z.boolean().describe('Allow `+` and `#` in filters. Default true.'),
    sharedSubscriptions: z.boolean().describe('Offer `$share/NAME/FILTER`, at 3.1.1 too. Default true.'),
    subscriptionIdentifiers: z.boolean().describe('Offer Subscription Identifiers at 5.0. Default true.'),
    emptyClientIds: z.boolean().describe('Give a Client Identifier to a client that brings none. Default true.'),
    checkPayloadFormat: z.boolean().describe('Refuse a payload that says it is UTF-8 and is not. Default false.'),
    willsAfterRestart: z
      .enum(['publish', 'drop'])
      .describe('What becomes of wills that were pending when the broker ended. Default publish.'),
  })
  .partial()

/** The configuration, whole: what file, environment and flags may say. */
export const configSchema = z.strictObject({
  listeners: z.array(listener).min(1).describe('Where the broker listens.'),
  allowAnonymous: z
    .boolean()
    .describe('Let anyone in who can reach a listener. Needed to listen beyond this machine without authentication.'),
  auth: auth.describe('Who may come in, asked in the order certificate, passwordFile, jwt, http. Default: anyone.'),
  acl: acl.describe('Who may do what: one of file and rules. Default: everybody everything.'),
  data: text.describe('The folder in which data is kept, or `memory`.'),
  limits: limits.describe('Every bound the broker keeps; see below.'),
  features: features.describe('Parts of MQTT that can be switched on and off.'),
  log: z.strictObject({ level: z.enum(logLevels as [string, ...string[]]).describe('The least to log.') }),
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
  limits: {},
  features: {},
  log: { level: 'info' },
} as const satisfies z.input<typeof configSchema>

/** For editors that check a file while it is written (`# yaml-language-server: $schema=`). */
export function jsonSchema(): object {
  return { title: 'Configuration of godwit broker', ...z.toJSONSchema(configSchema.partial(), { io: 'input' }) }
}
