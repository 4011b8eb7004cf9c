import type { PropertiesOf } from '@godwit/protocol'

/** The user property that tells a message from all others, wherever bridges carry it: who has marked it, a space, a number. */
const markProperty = 'godwit-mark'

/** What tells a message from all others. */
export interface Mark {
  /** Who has marked it. */
  readonly marker: string
  /** Rising, from 0. */
  readonly number: number
}

/** The mark that a message comes with. */
export function markOf(properties: PropertiesOf<'publish'> | undefined): Mark | undefined {
  if (!properties?.userProperties) return undefined
  const text = properties.userProperties.find(([name]) => name === markProperty)?.[1]
  const [, marker, digits] = text?.match(/^([\w-]{1,40}) (\d{1,15})$/) ?? []
  return marker === undefined ? undefined : { marker, number: Number(digits) }
}

/** The properties with this mark, and no other. */
export function withMark(
  properties: PropertiesOf<'publish'> | undefined,
  mark: Mark | undefined,
): PropertiesOf<'publish'> | undefined {
  const others = properties?.userProperties?.filter(([name]) => name !== markProperty) ?? []
  const own = mark ? ([[markProperty, `${mark.marker} ${mark.number}`]] as const) : []
  return { ...properties, userProperties: [...others, ...own] }
}
