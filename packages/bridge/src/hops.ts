import type { LocalProperties } from '@godwit/broker'
import { brokerProperty } from '@godwit/broker/bridging'

/** The user property of messages that a bridge carries: the brokers they have been on, in their order, apart by a space. */
const hopsProperty = 'godwit-hops'
/** More than these have been passed by none but a message that goes round. */
const mostHops = 64

/**
 * Where messages have been (5.0), so that what was on the other side does not go there again, nor does what was here come in. So
 * bridges may make a ring.
 */
export class Hops {
  readonly #here: string
  readonly #hop: readonly [readonly [string, string]]
  /** Of a message that has no properties of its own. */
  readonly #hereAlone: LocalProperties
  /** The other broker; undefined: it does not say. */
  #there: string | undefined
  /** Whether messages have properties over there. */
  #isOn = false

  constructor(here: string) {
    this.#here = here
    this.#hop = Object.freeze([Object.freeze([hopsProperty, here] as const)] as const)
    this.#hereAlone = Object.freeze({ userProperties: this.#hop }) // encoded once
  }

  /** A connection: what is spoken over it, and what CONNACK said. */
  begin(version: number, said: readonly (readonly [string, string])[]): void {
    this.#isOn = version === 5
    this.#there = said.find(([name]) => name === brokerProperty)?.[1]
  }

  /** The properties with which a message goes out. */
  onward(properties: LocalProperties | undefined): LocalProperties | undefined | 'loop' {
    if (!this.#isOn) return properties
    if (properties === undefined) return this.#hereAlone
    const users = properties.userProperties
    if (!users?.some(([name]) => name === hopsProperty)) {
      return { ...properties, userProperties: users ? [...users, ...this.#hop] : this.#hop }
    }
    const hops = hopsOf(properties)
    if (hops.length >= mostHops || (this.#there !== undefined && hops.includes(this.#there))) return 'loop'
    return withHops(properties, [...hops, this.#here])
  }

  /** The properties with which a message is published here. */
  inward(properties: LocalProperties | undefined): LocalProperties | undefined | 'loop' {
    const hops = hopsOf(properties)
    if (hops.includes(this.#here)) return 'loop'
    if (this.#there === undefined || hops.includes(this.#there)) return properties
    return withHops(properties, [...hops, this.#there])
  }
}

function hopsOf(properties: LocalProperties | undefined): readonly string[] {
  const hops = properties?.userProperties?.find(([name]) => name === hopsProperty)?.[1]
  return hops ? hops.split(' ') : []
}

function withHops(properties: LocalProperties | undefined, hops: readonly string[]): LocalProperties {
  const others = properties?.userProperties?.filter(([name]) => name !== hopsProperty) ?? []
  return { ...properties, userProperties: [...others, [hopsProperty, hops.join(' ')]] }
}
