import type { PropertiesOf, Publish, QoS } from '@godwit/protocol'
import type { BridgeLevel } from './bridge-level.js'
import type { RelayedIds } from './state/relayed-ids.js'

/** A message that has its place and its number already, in a session of another server. */
export interface RelayedMessage {
  /** The one order; the store knows the message by it. Rising, from 1 up; 0 at QoS 0. */
  readonly number: number
  /** Of its handshake: not that of another message under way. 1 to 65,535; 0 at QoS 0. */
  readonly packetId: number
  /** An earlier process may have sent it under this number: it goes with DUP to a server that has the session. */
  readonly mayHaveBeenSent: boolean
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  /** Without the Message Expiry Interval: that follows from `expiresAt`. */
  readonly properties: PropertiesOf<'publish'> | undefined
  /** Epoch ms after which it is not sent for the first time; Infinity: never. */
  readonly expiresAt: number
}

/** Who knows which messages a relay has finished with. */
export interface GivenRepeats {
  /** A message at QoS 1 or 2 has come whose id stands for none that is under way. True: it is finished with, and acknowledged again. */
  isRepeat(packet: Publish): boolean
  /** The server has forgotten the session: its ids stand for others from now on. */
  clear(): void
}

/** What makes a client a relay. */
export interface RelayTerms {
  /**
   * True: below 5.0 the server is told that this is a bridge, by the highest bit of the Protocol Level (0x84), so that it sends
   * nothing back and leaves RETAIN as published. One that refuses that is asked again without.
   */
  readonly bridge: boolean
  /** Packets besides messages (SUBSCRIBE and the like) have ids from here up, far from those of messages under way. 1 to 65,535. */
  readonly firstPacketId: number
  /** Left out: what comes under an id that is free is new. */
  readonly repeats?: GivenRepeats
}

/** The same with what only a relay keeps. */
export interface Relaying extends Pick<RelayTerms, 'firstPacketId' | 'repeats'> {
  /** Undefined: the server is not told that this is a bridge. */
  readonly bridgeLevel: BridgeLevel | undefined
  readonly ids: RelayedIds
}
