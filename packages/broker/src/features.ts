import type { QoS } from '@godwit/protocol'
import type { LimitEffect } from './limits.js'
import type { NamesOf } from './option-names.js'

/**
 * Parts of MQTT that can be switched on and off. A client of 5.0 is told in CONNACK what is off, and disconnected if it
 * asks for it all the same; one of 3.1.1 cannot be told, so what it asks for is done as far as the broker goes.
 */
export interface Features {
  /** Whether MQTT 3.1 (`MQIsdp`, level 3) is served. Default false: return code 1. */
  readonly mqtt31: boolean
  /**
   * Whether a bridge of another broker that marks itself by its Protocol Level (0x84; 0x83 where `mqtt31` is on, as
   * mosquitto and VerneMQ do) is served as one: what it has published does not come back to it, and RETAIN stays as
   * published, as No Local and Retain As Published say at 5.0. Default true. Off: return code 1, and most bridges try again
   * without the mark.
   */
  readonly bridgeProtocol: boolean
  /**
   * The users under whose names bridges of other Godwits come. Where several of them, or of this broker's own, take a message on, it is
   * marked for them, and what comes again under a mark is taken no second time: so bridges may make a ring or a net. They are believed
   * that a message is a repeat: name nobody else. Default: none.
   */
  readonly bridgeUsers: readonly string[]
  /** Whether filters may have wildcards. Default true. Off: 0xA2 at 5.0, refused in SUBACK below [MQTT-3.8.3-2]. */
  readonly wildcardSubscriptions: boolean
  /**
   * Whether RETAIN 1 keeps messages. Default true. Off: 0x9A at 5.0; below, they are delivered and not kept. What was
   * kept before stays, and no client sees it.
   */
  readonly retainAvailable: boolean
  /** Whether `$share/NAME/FILTER` shares a subscription, in every version. Default true. Off: 0x9E at 5.0, refused in SUBACK below. */
  readonly sharedSubscriptions: boolean
  /** Whether SUBSCRIBE of 5.0 may carry a Subscription Identifier. Default true. Off: 0xA1. */
  readonly subscriptionIdentifiers: boolean
  /**
   * Whether what a member of a shared subscription has been sent at QoS 1 and not acknowledged goes to another as soon as
   * it disconnects. Default true. Off: it waits for that member while its session lives.
   */
  readonly sharedHandOverAtDisconnect: boolean
  /**
   * The highest QoS granted to a subscription, and at 5.0 taken from a publisher. Default 2. Above it: 0x9B at 5.0; from
   * a publisher of 3.1.1, the message is taken with the QoS it has.
   */
  readonly maximumQos: QoS
  /** Whether a client may leave its Client Identifier to the broker (with Clean Session 1). Default true. Off: return code 2. */
  readonly emptyClientIds: boolean
  /** Whether strings may hold control characters and Unicode non-characters; U+0000 never. Default false: the connection is closed. */
  readonly controlCharacters: boolean
  /**
   * Whether a message or will that says its payload is UTF-8 (Payload Format Indicator 1) is refused when it is not.
   * Default false. On: 0x99 in PUBACK, PUBREC or CONNACK; at QoS 0, which has no answer, the message is dropped and counted.
   */
  readonly checkPayloadFormat: boolean
  /**
   * What becomes of a client beyond `limits.maxPublishesPerSecond` or `limits.maxPublishBytesPerSecond`. Default `slow`:
   * it is read from later, and loses nothing. `refuse`: at 5.0 its messages at QoS 1 and 2 get 0x97 in PUBACK or PUBREC
   * and go nowhere; at QoS 0, and below 5.0, there is no such answer, and it is disconnected (0x96). Each is counted.
   */
  readonly publishBeyondRate: 'slow' | 'refuse'
}

/** From when on a feature holds that is switched while a broker runs. What a client of 5.0 was told in CONNACK holds for its connection. */
export const featureEffects: { readonly [Name in keyof Features]: LimitEffect } = {
  mqtt31: 'new connections',
  bridgeProtocol: 'new connections',
  bridgeUsers: 'new connections',
  wildcardSubscriptions: 'new connections',
  retainAvailable: 'new connections',
  sharedSubscriptions: 'new connections',
  subscriptionIdentifiers: 'new connections',
  sharedHandOverAtDisconnect: 'at once',
  maximumQos: 'new connections',
  emptyClientIds: 'new connections',
  controlCharacters: 'new connections',
  checkPayloadFormat: 'at once',
  publishBeyondRate: 'at once',
}

/** Those of all features, for whoever takes them as options. */
export const featureNames = Object.fromEntries(
  Object.keys(featureEffects).map((name) => [name, true]),
) as NamesOf<Features>
