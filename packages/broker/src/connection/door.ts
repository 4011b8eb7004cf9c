import { reason } from '@godwit/protocol'
import type { Basics } from '../basics.js'
import type { Faults } from '../faults.js'
import type { Refusal } from '../handlers/admission.js'
import type { MaybeAsync } from '../maybe-async.js'
import type { ConnectionRefusal } from '../metrics.js'
import { isOfThisMachine, networkOf } from '../network.js'
import { type Rate, rateOf, TokenBucket } from '../time/token-bucket.js'
import type { Transport } from '../transport/transport.js'

type DoorParts = Pick<Basics, 'limits' | 'clock' | 'wheel' | 'metrics' | 'drops'>

/** What is known of one address, or of one network of IPv6. */
interface Visitor {
  connections: number
  readonly connects: TokenBucket
}

interface InLine {
  readonly since: number
  readonly answer: (refusal: ConnectionRefusal | undefined) => void
}

/** How many of those that waited out an overload are let in at once: all of them would be the next overload. */
const letInTogether = 500

const savedUpSeconds = 2
/** Time in which a bucket is full again. */
const forgetAfterMs = savedUpSeconds * 1_000

/**
 * Who may come in now, before anybody asks who it is: bounded are the connections that are open, the CONNECT packets of a
 * second, and, while the event loop is late, all who are new; those present are served meanwhile.
 */
export class Door {
  readonly #parts: DoorParts
  readonly #connects: TokenBucket
  readonly #rateOfAddress: Rate
  readonly #visitors = new Map<string, Visitor>()
  #open = 0
  #line: InLine[] = []

  constructor(parts: DoorParts) {
    this.#parts = parts
    this.#connects = this.#bucket(rateOf(() => parts.limits.maxConnectsPerSecond, savedUpSeconds))
    this.#rateOfAddress = rateOf(() => parts.limits.maxConnectsPerSecondPerAddress, savedUpSeconds)
  }

  /** A connection opens. False: it is one too many, and counted as such; no answer to it could be bounded. */
  enter(address: string): boolean {
    const { limits, drops } = this.#parts
    if (this.#open >= limits.maxConnections) {
      drops.refused('connections', address)
      return false
    }
    if (!isOfThisMachine(address)) {
      const visitor = this.#visitor(address)
      if (visitor.connections >= limits.maxConnectionsPerAddress) {
        drops.refused('connections-of-address', address)
        return false
      }
      visitor.connections++
    }
    this.#open++
    return true
  }

  /** One that had entered is gone. */
  leave(address: string): void {
    this.#open--
    if (isOfThisMachine(address)) return
    const network = networkOf(address)
    const visitor = this.#visitors.get(network)
    if (visitor && --visitor.connections === 0) this.#parts.wheel.after(forgetAfterMs, () => this.#forget(network))
  }

  /** A CONNECT has come: whether its client may go on, at once or, while the broker is overloaded, a little later. */
  knock(address: string): MaybeAsync<ConnectionRefusal | undefined> {
    const { limits, clock, metrics } = this.#parts
    if (!isOfThisMachine(address)) {
      const now = clock.monotonic()
      if (!this.#visitor(address).connects.take(now)) return 'connect-rate-of-address'
      if (!this.#connects.take(now)) return 'connect-rate'
    }
    if (this.#line.length === 0 && !this.isOverloaded) return undefined
    metrics.connectsDelayed++
    if (limits.overloadWaitMs === 0) return 'overload'
    return new Promise((answer) => {
      this.#line.push({ since: clock.monotonic(), answer })
      if (this.#line.length === 1) this.#look()
    })
  }

  /** The event loop is late: new clients have to wait. */
  get isOverloaded(): boolean {
    const { limits, wheel } = this.#parts
    return limits.overloadDelayMs > 0 && wheel.lateMs > limits.overloadDelayMs
  }

  #look(): void {
    this.#parts.wheel.after(0, () => this.#letIn())
  }

  /** First come, first in; whoever has waited too long is told so. */
  #letIn(): void {
    const { limits, clock } = this.#parts
    const tooLongSince = clock.monotonic() - limits.overloadWaitMs
    const places = this.isOverloaded ? 0 : letInTogether
    const line = this.#line
    this.#line = line.filter(({ since }, at) => at >= places && since > tooLongSince)
    line.forEach(({ since, answer }, at) => {
      if (at < places) answer(undefined)
      else if (since <= tooLongSince) answer('overload')
    })
    if (this.#line.length > 0) this.#look()
  }

  #visitor(address: string): Visitor {
    const network = networkOf(address)
    const known = this.#visitors.get(network)
    if (known) return known
    const visitor = { connections: 0, connects: this.#bucket(this.#rateOfAddress) }
    this.#visitors.set(network, visitor)
    return visitor
  }

  #bucket(rate: Rate): TokenBucket {
    return new TokenBucket(rate, this.#parts.clock.monotonic())
  }

  /** Forgets a network that has no connection and a full bucket: its entry would be made anew just like that. */
  #forget(network: string): void {
    const visitor = this.#visitors.get(network)
    if (visitor?.connections === 0 && visitor.connects.isFull(this.#parts.clock.monotonic())) {
      this.#visitors.delete(network)
    }
  }
}

/**
 * A transport was accepted: begins it, or closes it at once where it is one too many.
 * @param begin what it throws closes the transport, and is told.
 */
export function takeUp(
  transport: Transport,
  { door, faults }: { readonly door: Door; readonly faults: Faults },
  begin: () => void,
): void {
  if (!door.enter(transport.peer.address)) return transport.destroy()
  try {
    begin()
  } catch (error) {
    const onFault = (): void => transport.destroy()
    faults.contain(error, { clientId: undefined, onFault }, 'taking up a connection')
  }
}

/** What the client hears; at 3.1.1 all of them are return code 3, server unavailable. */
export function refusedAtDoor(counts: ConnectionRefusal): Refusal {
  return counts === 'overload'
    ? { reasonCode: reason.serverBusy, why: 'the server is overloaded; try again later', counts }
    : {
        reasonCode: reason.connectionRateExceeded,
        why: 'too many connections in a short time; try again later',
        counts,
      }
}
