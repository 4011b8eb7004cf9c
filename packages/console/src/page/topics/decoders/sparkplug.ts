import { type Decoder, structureOf } from './decoded.js'

/** A field of protobuf: its number, and its value by how it was written. */
type Field = readonly [number: number, value: bigint | Uint8Array | DataView]

const varintType = 0
const fixed64 = 1
const bytesType = 2
const fixed32 = 5
const text = new TextDecoder()

/** Names of Sparkplug's data types, by their numbers (Sparkplug B, section 6.4.16). */
const types =
  'Unknown Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float Double Boolean String DateTime Text UUID DataSet Bytes File Template'.split(
    ' ',
  )
const signedBits: Readonly<Record<number, number>> = { 1: 8, 2: 16, 3: 32, 4: 64 }

/** The fields of a message, in their order. @throws for bytes that are none. */
function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = view.getUint8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new Error('a number is too long')
  }
  const take = (length: number): number => {
    const start = at
    at += length
    if (at > bytes.length) throw new Error('a field is cut short')
    return start
  }
  while (at < bytes.length) {
    const key = Number(varint())
    const number = key >>> 3
    if (number === 0) throw new Error('no field has the number 0')
    switch (key & 7) {
      case varintType:
        yield [number, varint()]
        break
      case bytesType: {
        const length = Number(varint())
        yield [number, bytes.subarray(take(length), at)]
        break
      }
      case fixed64:
        yield [number, new DataView(view.buffer, view.byteOffset + take(8), 8)]
        break
      case fixed32:
        yield [number, new DataView(view.buffer, view.byteOffset + take(4), 4)]
        break
      default:
        throw new Error('a field of no known form')
    }
  }
}

const string = (value: Field[1]): string => text.decode(value as Uint8Array)
const time = (value: Field[1]): string => new Date(Number(value as bigint)).toISOString()

interface Metric {
  name?: string
  alias?: number
  timestamp?: string
  type?: string
  value?: unknown
}

function metricOf(bytes: Uint8Array): Metric {
  const metric: Metric = {}
  let type = 0
  let isNull = false
  for (const [number, value] of fieldsOf(bytes)) {
    if (number === 1) metric.name = string(value)
    else if (number === 2) metric.alias = Number(value as bigint)
    else if (number === 3) metric.timestamp = time(value)
    else if (number === 4) type = Number(value as bigint)
    else if (number === 7) isNull = (value as bigint) !== 0n
    else if (number >= 10) metric.value = metricValue(number, value, type)
  }
  if (type > 0) metric.type = types[type] ?? String(type)
  if (isNull) metric.value = null
  return metric
}

function metricValue(number: number, value: Field[1], type: number): unknown {
  if (number === 10 || number === 11) {
    const bits = signedBits[type]
    const integer = bits === undefined ? (value as bigint) : BigInt.asIntN(bits, value as bigint)
    return types[type] === 'DateTime' ? time(integer) : integer
  }
  if (number === 12) return (value as DataView).getFloat32(0, true)
  if (number === 13) return (value as DataView).getFloat64(0, true)
  if (number === 14) return (value as bigint) !== 0n
  if (number === 15) return string(value)
  return value // bytes, data sets and templates as they are
}

/** The payload of Sparkplug B. @throws for what is none. */
export const decode: Decoder = (bytes) => {
  const payload: { timestamp?: string; seq?: number; uuid?: string; body?: Uint8Array; metrics: Metric[] } = {
    metrics: [],
  }
  for (const [number, value] of fieldsOf(bytes)) {
    if (number === 1) payload.timestamp = time(value)
    else if (number === 2) payload.metrics.push(metricOf(value as Uint8Array))
    else if (number === 3) payload.seq = Number(value as bigint)
    else if (number === 4) payload.uuid = string(value)
    else if (number === 5) payload.body = value as Uint8Array
  }
  return structureOf(payload)
}
