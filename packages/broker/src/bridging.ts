// What bridges and brokers of Godwit say to each other, in user properties of MQTT 5.0.
import type { Connect, PropertiesOf } from '@godwit/protocol'

/** With it a bridge says in CONNECT which broker it is of, and is answered in CONNACK which one this is. */
export const brokerProperty = 'godwit-broker'
/** With it CONNACK says that the client is taken for a bridge: marks are believed of it, and given to it. */
export const marksProperty = 'godwit-marks'
/** The mark of a message between a broker and a bridge: who has marked it, a space, a number. */
const markProperty = 'godwit-mark'

/** What tells a message from all others, where bridges may bring it more than one way. */
export interface Mark {
  /** Who has marked it: letters, digits, `-` and `_`, 40 at most. */
  readonly marker: string
  /** Rising, from 0. */
  readonly number: number
}

type Properties = PropertiesOf<'publish'> | undefined

/** Whether CONNECT says that a bridge of Godwit's comes. */
export function saysItIsABridge({ properties }: Connect): boolean {
  return properties?.userProperties?.some(([name]) => name === brokerProperty) ?? false
}

/** Whether the client is taken for a bridge: it says so, and comes under the name of one. */
export function isBridge(connect: Connect, username: string | undefined, bridgeUsers: readonly string[]): boolean {
  return username !== undefined && saysItIsABridge(connect) && bridgeUsers.includes(username)
}

/** The mark that a message comes with. */
export function markOf(properties: Properties): Mark | undefined {
  const text = properties?.userProperties?.find(isMark)?.[1]
  const [, marker, digits] = text?.match(/^([\w-]{1,40}) (\d{1,15})$/) ?? []
  return marker === undefined ? undefined : { marker, number: Number(digits) }
}

/** The properties with this mark and no other; undefined: with none. */
export function withMark(properties: Properties, mark: Mark | undefined): Properties {
  const { userProperties: given = [], ...others } = properties ?? {}
  if (mark === undefined && !given.some(isMark)) return properties
  const userProperties = given.filter((property) => !isMark(property))
  if (mark) userProperties.push([markProperty, `${mark.marker} ${mark.number}`])
  if (userProperties.length > 0) return { ...others, userProperties }
  return Object.keys(others).length > 0 ? others : undefined
}

function isMark([name]: readonly [string, string]): boolean {
  return name === markProperty
}
