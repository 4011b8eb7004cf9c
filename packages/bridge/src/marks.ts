import { createHash } from 'node:crypto'
import type { LocalProperties } from '@godwit/broker'
import { markOf, withMark } from '@godwit/broker/bridging'

/** The properties for a message that gets another name on its way: under it, it is another message, with another mark. */
export function renamed(
  properties: LocalProperties | undefined,
  from: string,
  to: string,
): LocalProperties | undefined {
  const mark = from === to ? undefined : markOf(properties)
  if (!mark) return properties
  return withMark(properties, { marker: markerFor(mark.marker, from, to), number: mark.number })
}

/** The same for all topics that differ as these two do. Nothing is remembered: names are as long as those over there like. */
function markerFor(marker: string, from: string, to: string): string {
  let same = 0
  while (same < from.length && same < to.length && from.at(-1 - same) === to.at(-1 - same)) same++
  const key = [marker, from.slice(0, from.length - same), to.slice(0, to.length - same)].join('\0')
  return createHash('sha256').update(key).digest('base64url').slice(0, 16)
}
