import { type Packet, ReceivedPublish } from '@godwit/protocol'
import type { QueuedMessage } from '../store/queue.js'

/** What may be shown of a packet: no payload, password, user name or authentication data. */
export interface TracedPacket {
  readonly type: Packet['type']
  readonly packetId?: number
  readonly topic?: string
  readonly qos?: number
  readonly retain?: boolean
  readonly dup?: boolean
  readonly payloadBytes?: number
  readonly reasonCode?: number
  readonly reasonCodes?: readonly number[]
  readonly filters?: readonly { readonly filter: string; readonly qos?: number }[]
  readonly version?: number
  readonly cleanStart?: boolean
  readonly keepAliveSeconds?: number
  readonly sessionPresent?: boolean
  readonly will?: {
    readonly topic: string
    readonly qos: number
    readonly retain: boolean
    readonly payloadBytes: number
  }
  readonly properties?: Readonly<Record<string, unknown>>
}

/** The fields that are shown as they are. */
const plain = [
  'packetId',
  'topic',
  'qos',
  'retain',
  'dup',
  'reasonCode',
  'reasonCodes',
  'version',
  'cleanStart',
  'keepAliveSeconds',
  'sessionPresent',
] as const satisfies readonly (keyof TracedPacket)[]

export function tracedPacket(packet: Packet): TracedPacket {
  const fields = packet as unknown as Record<string, unknown>
  const traced: Record<string, unknown> = { type: packet.type }
  for (const name of plain) if (fields[name] !== undefined) traced[name] = fields[name]
  if (packet.type === 'publish') traced.payloadBytes = payloadBytesOf(packet)
  if (packet.type === 'connect' && packet.will) {
    const { topic, qos = 0, retain = false, payload } = packet.will
    traced.will = { topic, qos, retain, payloadBytes: payload.length }
  }
  if (packet.type === 'subscribe') {
    traced.filters = packet.subscriptions.map(({ filter, qos }) => ({ filter, qos }))
  }
  if (packet.type === 'unsubscribe') traced.filters = packet.filters.map((filter) => ({ filter }))
  const properties = shown(fields.properties as Readonly<Record<string, unknown>> | undefined)
  return { ...traced, ...(properties && { properties }) } as unknown as TracedPacket
}

/** A PUBLISH that goes out: on that way it is no packet object. */
export function tracedDelivery({ message, qos, retain }: QueuedMessage, dup: boolean, packetId: number): TracedPacket {
  const { topic, payloadBytes, properties } = message
  return {
    type: 'publish',
    ...(qos > 0 && { packetId }),
    topic,
    qos,
    retain,
    dup,
    payloadBytes,
    ...(properties && { properties: shown(properties as Readonly<Record<string, unknown>>)! }),
  }
}

/** Data of applications is told by its size: it may be anything, secrets too. */
function shown(properties: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> | undefined {
  if (!properties) return undefined
  const entries = Object.entries(properties).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof Uint8Array ? `${value.length} bytes` : value]),
  )
}

function payloadBytesOf(packet: Packet & { type: 'publish' }): number {
  return packet instanceof ReceivedPublish ? packet.payloadEnd - packet.payloadStart : packet.payload.length
}
