import { ProtocolError } from './errors.js'
import {
  binary,
  bit,
  type Field,
  flag,
  pair,
  responseTopic,
  topicAlias,
  u16,
  u16FromOne,
  u32,
  u32FromOne,
  utf8,
  varintFromOne,
} from './fields.js'
import type { Reader } from './reader.js'
import { tuned } from './tuned.js'
import { Writer } from './writer.js'

/** Where properties stand: in the packets that have them, and in the will of CONNECT. */
export type PropertyHost =
  | 'connect'
  | 'will'
  | 'connack'
  | 'publish'
  | 'puback'
  | 'pubrec'
  | 'pubrel'
  | 'pubcomp'
  | 'subscribe'
  | 'suback'
  | 'unsubscribe'
  | 'unsuback'
  | 'disconnect'
  | 'auth'

interface Row<T, H extends PropertyHost> {
  readonly id: number
  readonly field: Field<T>
  readonly hosts: readonly H[]
  readonly list: boolean
}

function one<T, const H extends PropertyHost>(id: number, field: Field<T>, ...hosts: H[]): Row<T, H> {
  return { id, field, hosts, list: false }
}

function many<T, const H extends PropertyHost>(id: number, field: Field<T>, ...hosts: H[]): Row<readonly T[], H> {
  return { id, field: field as unknown as Field<readonly T[]>, hosts, list: true }
}

const acks = ['puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback'] as const

/** One row a property of MQTT 5.0 (section 2.2.2.2): identifier, kind of value, and where it may stand. */
const rows = {
  payloadFormatIndicator: one(0x01, bit, 'publish', 'will'),
  messageExpiryInterval: one(0x02, u32, 'publish', 'will'),
  contentType: one(0x03, utf8, 'publish', 'will'),
  responseTopic: one(0x08, responseTopic, 'publish', 'will'),
  correlationData: one(0x09, binary, 'publish', 'will'),
  /** One in SUBSCRIBE; in PUBLISH one for each subscription that matched. */
  subscriptionIdentifiers: many(0x0b, varintFromOne, 'publish', 'subscribe'),
  sessionExpiryInterval: one(0x11, u32, 'connect', 'connack', 'disconnect'),
  assignedClientIdentifier: one(0x12, utf8, 'connack'),
  serverKeepAlive: one(0x13, u16, 'connack'),
  authenticationMethod: one(0x15, utf8, 'connect', 'connack', 'auth'),
  authenticationData: one(0x16, binary, 'connect', 'connack', 'auth'),
  requestProblemInformation: one(0x17, flag, 'connect'),
  willDelayInterval: one(0x18, u32, 'will'),
  requestResponseInformation: one(0x19, flag, 'connect'),
  responseInformation: one(0x1a, utf8, 'connack'),
  serverReference: one(0x1c, utf8, 'connack', 'disconnect'),
  reasonString: one(0x1f, utf8, 'connack', ...acks, 'disconnect', 'auth'),
  receiveMaximum: one(0x21, u16FromOne, 'connect', 'connack'),
  topicAliasMaximum: one(0x22, u16, 'connect', 'connack'),
  topicAlias: one(0x23, topicAlias, 'publish'),
  maximumQos: one(0x24, bit, 'connack'),
  retainAvailable: one(0x25, flag, 'connack'),
  userProperties: many(
    0x26,
    pair,
    'connect',
    'will',
    'connack',
    'publish',
    ...acks,
    'subscribe',
    'unsubscribe',
    'disconnect',
    'auth',
  ),
  maximumPacketSize: one(0x27, u32FromOne, 'connect', 'connack'),
  wildcardSubscriptionAvailable: one(0x28, flag, 'connack'),
  subscriptionIdentifierAvailable: one(0x29, flag, 'connack'),
  sharedSubscriptionAvailable: one(0x2a, flag, 'connack'),
}

type Rows = typeof rows
type HostOf<R> = R extends Row<infer _, infer H> ? H : never
type ValueOf<R> = R extends Row<infer T, PropertyHost> ? T : never

/** The properties MQTT 5.0 allows in one place, worked out from the table. */
export type PropertiesOf<H extends PropertyHost> = {
  readonly [K in keyof Rows as H extends HostOf<Rows[K]> ? K : never]?: ValueOf<Rows[K]>
}

interface AnyRow {
  readonly name: string
  readonly id: number
  readonly field: Field<unknown>
  readonly hosts: ReadonlySet<PropertyHost>
  readonly list: boolean
}

const table: readonly AnyRow[] = Object.entries(rows).map(([name, row]) => ({
  name,
  id: row.id,
  field: row.field as Field<unknown>,
  hosts: new Set<PropertyHost>(row.hosts),
  list: row.list,
}))
const byId = new Map(table.map((row) => [row.id, row]))
/** The rows of each place, in the order of the table. */
const byHost = new Map<PropertyHost, readonly AnyRow[]>()
for (const { hosts } of table) {
  for (const host of hosts)
    byHost.set(
      host,
      table.filter((row) => row.hosts.has(host)),
    )
}

/** Reads the length and the properties behind it; what does not belong here is refused. */
export function readProperties<H extends PropertyHost>(r: Reader, host: H): PropertiesOf<H> | undefined {
  const length = r.varint()
  if (length === 0) return undefined
  const found: Record<string, unknown> = {}
  r.within(length, () => {
    while (r.left > 0) readProperty(r, host, found)
  })
  return found as PropertiesOf<H>
}

function readProperty(r: Reader, host: PropertyHost, found: Record<string, unknown>): void {
  const id = r.varint()
  const row = byId.get(id)
  if (!row?.hosts.has(host)) {
    throw new ProtocolError('malformed-packet', `property 0x${id.toString(16).padStart(2, '0')} is not for ${host}`)
  }
  const value = row.field.read(r)
  if (row.list) {
    found[row.name] ??= []
    ;(found[row.name] as unknown[]).push(value)
  } else if (row.name in found) throw new ProtocolError('protocol-error', `${row.name} given twice`)
  else found[row.name] = value
}

/** Writes the properties, length in front, in the order of the table. */
export function writeProperties(w: Writer, host: PropertyHost, properties: object | undefined): void {
  if (properties === undefined) return w.u8(0) // the length is there even so [MQTT-2.2.2-1]
  if (tuned && properties === frozen.properties && host === frozen.host)
    return w.copy(frozen.bytes, 0, frozen.bytes.length)
  const start = w.position
  const given = properties as Readonly<Record<string, unknown>>
  const body = scratch
  body.position = 0
  let left = 0
  for (const name in given) if (given[name] !== undefined) left++
  for (const row of byHost.get(host)!) {
    if (left === 0) break
    const value = given[row.name]
    if (value === undefined) continue
    left--
    writeProperty(body, row, value)
  }
  if (left > 0) refuseOthers(host, given)
  w.varint(body.position)
  w.copy(body.bytes, 0, body.position)
  if (tuned && isFrozen(properties)) frozen = { properties, host, bytes: w.bytes.slice(start, w.position) }
}

/** The last ones that nobody can change any more: whoever sends many messages with the same properties freezes them. */
let frozen: { readonly properties?: object; readonly host?: PropertyHost; readonly bytes: Uint8Array } = {
  bytes: new Uint8Array(0),
}

/** Also all that is in it. */
function isFrozen(value: object): boolean {
  if (!Object.isFrozen(value)) return false
  return Object.values(value).every((inner) => typeof inner !== 'object' || inner === null || isFrozen(inner))
}

/** Properties are gathered in it, since their length comes first. */
const scratch = new Writer(256)

function writeProperty(body: Writer, { name, id, field, list }: AnyRow, value: unknown): void {
  if (!list) {
    body.u8(id)
    return field.write(body, value)
  }
  if (!Array.isArray(value)) throw new ProtocolError('malformed-packet', `${name} is no list`)
  for (const each of value as readonly unknown[]) {
    body.u8(id)
    field.write(body, each)
  }
}

/** Names that the table does not know are passed over. */
function refuseOthers(host: PropertyHost, given: Readonly<Record<string, unknown>>): void {
  for (const { name, hosts } of table) {
    if (given[name] === undefined || hosts.has(host)) continue
    throw new ProtocolError('protocol-error', `${name} is not for ${host}`)
  }
}
