import { createHash } from 'node:crypto'
import type { LocalProperties } from '@godwit/broker'

/** The user property by which a broker of Godwit's knows a message that comes by more than one way. */
const markProperty = 'godwit-mark'

/** The properties for a message that gets another name on its way: under it, it is another message. */
export function marked(properties: LocalProperties | undefined, from: string, to: string): LocalProperties | undefined {
  const mark = properties?.userProperties?.find(([name]) => name === markProperty)?.[1]
  if (from === to || mark === undefined) return properties
  const [marker = '', number = ''] = mark.split(' ')
  return withMark(properties, `${markerFor(marker, from, to)} ${number}`)
}

/** @param mark undefined: none. */
export function withMark(
  properties: LocalProperties | undefined,
  mark: string | undefined,
): LocalProperties | undefined {
  const given = properties?.userProperties
  if (!given?.some(([name]) => name === markProperty)) return properties
  const others = given.filter(([name]) => name !== markProperty)
  return { ...properties, userProperties: mark === undefined ? others : [...others, [markProperty, mark]] }
}

/** The same for all topics that differ as these two do. Nothing is remembered: names are as long as those over there like. */
function markerFor(marker: string, from: string, to: string): string {
  let same = 0
  while (same < from.length && same < to.length && from.at(-1 - same) === to.at(-1 - same)) same++
  const key = [marker, from.slice(0, from.length - same), to.slice(0, to.length - same)].join('\0')
  return createHash('sha256').update(key).digest('base64url').slice(0, 16)
}
