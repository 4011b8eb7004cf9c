import type { OutletMessage } from '@godwit/broker/plugin'
import { matchesFilter, splitShared, topicPattern } from '@godwit/protocol'
import type { FieldValue, Point } from './line-protocol.js'
import type { InfluxOptions, PointOptions } from './options.js'

type Unit = InfluxOptions['precision']
const perNanosecond: Readonly<Record<Unit, bigint>> = { s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n, ns: 1n }

/** How messages of one filter become points. */
interface Mapping {
  readonly matches: (topic: string) => boolean
  readonly pointOf: (message: OutletMessage) => Point
}

/**
 * Makes points of messages as the options say.
 * @returns what throws an Error for a message that is none.
 */
export function pointMaker({
  points,
  precision,
}: Pick<InfluxOptions, 'points' | 'precision'>): (message: OutletMessage) => Point {
  const arrivalOf = arrivals()
  const mappings = points.map((options) => mappingOf(options, precision, arrivalOf))
  return (message) => {
    const mapping = mappings.find(({ matches }) => matches(message.topic))
    if (!mapping) throw new Error('no points are asked for of this topic')
    return mapping.pointOf(message)
  }
}

/** The filters to subscribe to. */
export function filtersOf({
  points,
}: Pick<InfluxOptions, 'points'>): { readonly filter: string; readonly qos: 0 | 1 | 2 }[] {
  return points.map(({ filter, qos }) => ({ filter: topicPattern(filter).filter, qos }))
}

function mappingOf(options: PointOptions, precision: Unit, arrivalOf: Arrival): Mapping {
  const pattern = topicPattern(options.filter)
  const filter = splitShared(pattern.filter)?.filter ?? pattern.filter
  return {
    matches: (topic) => matchesFilter(filter, topic),
    pointOf(message) {
      const names: Readonly<Record<string, string>> = { ...pattern.params(message.topic) }
      const fill = (form: string): string => filled(form, { ...names, topic: message.topic })
      const value = payloadOf(message, options.payload)
      return {
        measurement: fill(options.measurement),
        tags: options.tags
          ? Object.fromEntries(Object.entries(options.tags).map(([tag, form]) => [tag, fill(form)]))
          : names,
        fields: fieldsOf(value, options),
        time: (timeIn(value, options) ?? arrivalOf(message)) / perNanosecond[precision],
      }
    },
  }
}

const filled = (form: string, values: Readonly<Record<string, string>>): string =>
  form.replace(/\$\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? values[name]! : whole))

function payloadOf(message: OutletMessage, kind: PointOptions['payload']): unknown {
  const text = message.text()
  if (kind === 'text') return text
  if (kind === 'number') {
    if (text.trim() === '' || !Number.isFinite(Number(text)))
      throw new Error(`${JSON.stringify(text.slice(0, 40))} is no number`)
    return Number(text)
  }
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (kind === 'json') throw error
    return text
  }
}

/** One field of one value; of an object one each of its numbers, texts, and truths, however deep. */
function fieldsOf(value: unknown, { field, fields: wanted, integers }: PointOptions): Record<string, FieldValue> {
  const found: [string, FieldValue][] = []
  for (const [key, one] of leavesOf(value, field)) {
    if (wanted && !wanted.includes(key)) continue
    if (typeof one === 'number') found.push([key, integers.includes(key) ? integerOf(one) : one])
    else if (typeof one === 'string' || typeof one === 'boolean') found.push([key, one])
  }
  return Object.fromEntries(found)
}

/** Each value that is no object, with the way to it; `name` is that of a value that stands alone. */
function leavesOf(value: unknown, name: string, way = ''): (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[way === '' ? name : way, value]]
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, name, way === '' ? key : `${way}.${key}`))
}

function integerOf(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is no integer`)
  return BigInt(value)
}

/** When a message came, in nanoseconds since 1970. */
type Arrival = (message: OutletMessage) => bigint

/** Each a nanosecond behind the one before, at least: two points of one series and one time would be one. The same when it is asked again. */
function arrivals(): Arrival {
  const known = new WeakMap<OutletMessage, bigint>()
  let last = 0n
  return (message) => {
    const before = known.get(message)
    if (before !== undefined) return before
    const at = BigInt(message.receivedAt) * 1_000_000n
    last = at > last ? at : last + 1n
    known.set(message, last)
    return last
  }
}

/** The time that a payload has, in nanoseconds since 1970; `undefined` where none is asked for. */
function timeIn(value: unknown, { time, timeUnit }: PointOptions): bigint | undefined {
  if (time === undefined) return undefined
  const given = time.split('.').reduce<unknown>((inner, step) => {
    return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[step] : undefined
  }, value)
  if (typeof given === 'number' && Number.isFinite(given)) {
    const whole = Math.trunc(given)
    const rest = Math.round((given - whole) * Number(perNanosecond[timeUnit]))
    return BigInt(whole) * perNanosecond[timeUnit] + BigInt(rest)
  }
  if (typeof given === 'string' && /^\d+$/.test(given)) return BigInt(given) * perNanosecond[timeUnit]
  const date = typeof given === 'string' ? Date.parse(given) : Number.NaN
  if (Number.isNaN(date)) throw new Error(`${time} is ${JSON.stringify(given)}; it takes a time`)
  return BigInt(date) * 1_000_000n
}
