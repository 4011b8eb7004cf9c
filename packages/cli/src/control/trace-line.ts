import type { TracedPacket, TraceEvent } from '@godwit/broker'
import { reasonName } from '@godwit/protocol'
import { strftime } from '../strftime.js'
import { printed } from '../text-log.js'

/** `06:25:01.123 app → PUBLISH id=7 topic=home/door qos=1 retain 12 bytes` */
export function traceLine({ at, clientId, address, direction, packet }: TraceEvent): string {
  const time = `${strftime('%T', new Date(at))}.${String(Math.floor(at) % 1_000).padStart(3, '0')}`
  const from = clientId === undefined || packet.type === 'connect' ? [`[${printed(address)}]`] : []
  const who = [...(clientId === undefined ? [] : [printed(clientId)]), ...from].join(' ')
  return `${time} ${who} ${direction === 'in' ? '→' : '←'} ${packet.type.toUpperCase()}${words(packet)}`
}

function words({ type, ...fields }: TracedPacket): string {
  const text = written(fields, type)
  return text && ` ${text}`
}

function written(fields: object, type = ''): string {
  return Object.entries(fields)
    .map(([name, value]) => (Object.hasOwn(forms, name) ? forms[name]!(value, type) : named(name, value)))
    .filter((text) => text !== '')
    .join(' ')
}

/** The fields that are not written `name=value`. */
const forms: Readonly<Record<string, (value: unknown, type: string) => string>> = {
  packetId: (value) => named('id', value),
  payloadBytes: (value) => (value === 1 ? '1 byte' : `${value} bytes`),
  filters: (value) =>
    (value as NonNullable<TracedPacket['filters']>)
      .map(({ filter, qos }) => `${named('filter', filter)}${qos === undefined ? '' : ` qos=${qos}`}`)
      .join(' '),
  reasonCode: (value, type) => (value === 0 && type !== 'connack' ? '' : reasonInWords(value as number)),
  reasonCodes: (value) => (value as readonly number[]).map(reasonInWords).join(', '),
  userProperties: (value) =>
    (value as readonly [string, string][])
      .map(([name, one]) => `userProperty ${printed(name)}=${printed(one)}`)
      .join(' '),
  properties: (value) => written(value as object),
  will: (value) => `will ${written(value as object)}`,
}

function named(name: string, value: unknown): string {
  if (value === undefined || value === false) return ''
  if (value === true) return name
  return `${name}=${printed(typeof value === 'object' ? JSON.stringify(value) : String(value))}`
}

function reasonInWords(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')} (${reasonName(code)})`
}
