/** What a field may hold. A `bigint` is an integer of InfluxDB, a `number` a float. */
export type FieldValue = number | bigint | string | boolean

/** One measurement at one time. */
export interface Point {
  readonly measurement: string
  /** Those with an empty value are left out: InfluxDB has none. */
  readonly tags: Readonly<Record<string, string>>
  /** One or more. */
  readonly fields: Readonly<Record<string, FieldValue>>
  /** In the unit of the write. */
  readonly time: bigint
}

/**
 * A point in line protocol: `climate,room=kitchen temperature=21.5 1767225600000000000`. Tags stand in the order of their names, as
 * InfluxDB asks for the sake of speed.
 * @throws Error for what line protocol cannot say.
 */
export function lineOf({ measurement, tags, fields, time }: Point): string {
  const head = [escaped(measurement, /[, ]/g, 'measurement')]
  if (measurement.startsWith('#')) throw new Error(`a measurement may not begin with #: ${measurement}`)
  for (const [key, value] of Object.entries(tags).sort(byName)) {
    if (value !== '') head.push(`${escaped(key, /[,= ]/g, 'tag')}=${escaped(value, /[,= ]/g, `tag ${key}`)}`)
  }
  const said = Object.entries(fields).map(([key, value]) => `${escaped(key, /[,= ]/g, 'field')}=${fieldOf(value)}`)
  if (said.length === 0) throw new Error('there is no value in it')
  return `${head.join(',')} ${said.join(',')} ${time}`
}

const byName = ([one]: readonly [string, string], [other]: readonly [string, string]): number => (one < other ? -1 : 1)

/** A line break ends a point, and a `\` at the end would take the mark behind it away: neither can be escaped. */
function escaped(text: string, special: RegExp, what: string): string {
  if (text === '') throw new Error(`a ${what} is empty`)
  if (/[\r\n\0]/.test(text) || text.endsWith('\\')) {
    throw new Error(`line protocol cannot say the ${what} ${JSON.stringify(text)}`)
  }
  return text.replace(special, '\\$&')
}

function fieldOf(value: FieldValue): string {
  switch (typeof value) {
    case 'string':
      return `"${value.replace(/["\\]/g, '\\$&')}"`
    case 'bigint':
      return `${value}i`
    case 'boolean':
      return String(value)
    default:
      if (!Number.isFinite(value)) throw new Error(`a field cannot be ${value}`)
      return String(value)
  }
}
