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

const listener = z.strictObject({
  protocol: z.enum(['mqtt']).default('mqtt').describe('`mqtt`: MQTT over TCP.'),
  host: text.default('127.0.0.1').describe('Address to listen on. The default is reached from this machine only.'),
  port: port.default(1883).describe('0 takes any free port.'),
})

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
  data: './godwit-data',
  limits: {},
  features: {},
  log: { level: 'info' },
} as const satisfies z.input<typeof configSchema>

/** For editors that check a file while it is written (`# yaml-language-server: $schema=`). */
export function jsonSchema(): object {
  return { title: 'Configuration of godwit broker', ...z.toJSONSchema(configSchema.partial(), { io: 'input' }) }
}
