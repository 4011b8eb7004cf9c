import { createHash } from 'node:crypto'
import type { LocalProperties } from '@godwit/broker'
import { markOf, marksProperty, withMark } from '@godwit/broker/bridging'

/** The mark by which a message is known that comes by several ways: whether it goes along, and as what. */
export class Marks {
  /** Whether the other broker believes marks and gives them. Who knows, otherwise, who has given a message its mark. */
  #areTaken = false

  /** A connection: what CONNACK said. */
  begin(said: readonly (readonly [string, string])[]): void {
    this.#areTaken = said.some(([name]) => name === marksProperty)
  }

  /** The properties of a message on its way from one topic to another: under another name it is another message, with another mark. */
  along(properties: LocalProperties | undefined, from: string, to: string): LocalProperties | undefined {
    if (properties === undefined || !this.#areTaken) return properties && withMark(properties, undefined)
    const mark = from === to ? undefined : markOf(properties)
    return mark ? withMark(properties, { marker: markerFor(mark.marker, from, to), number: mark.number }) : properties
  }
}

/** The same for all topics that differ as these two do. Nothing is remembered: names are as long as those over there like. */
function markerFor(marker: string, from: string, to: string): string {
  let same = 0
  while (same < from.length && same < to.length && from.at(-1 - same) === to.at(-1 - same)) same++
  const key = [marker, from.slice(0, from.length - same), to.slice(0, to.length - same)].join('\0')
  return createHash('sha256').update(key).digest('base64url').slice(0, 16)
}
