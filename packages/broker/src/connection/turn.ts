import type { Packet } from '@godwit/protocol'
import { Faults, type Owner } from '../faults.js'
import { type Clock, systemClock } from '../time/clock.js'

/** Something that has gathered output in this turn of the event loop. */
export interface Gathering extends Owner {
  /** Hands what it has gathered to its socket; answers how many bytes. */
  flush(): number
}

/** Bytes handed to sockets before the event loop goes round, and sockets they are handed to: some milliseconds. */
const bytesATurn = 4_194_304
const socketsATurn = 2_000
/** Packets handled before those who go on sending wait for the next turn: a socket may have thousands for each time it is looked at. */
const packetsATurn = 4_000
/**
 * Time that those who send many packets may take of one turn together, in ms: a message to be retained, or one that a hook looks at,
 * takes ten times what another does.
 */
const msATurn = 5
/**
 * A client that has sent no more packets than this is not stopped at the end of a full turn: its socket is not read again before the next
 * one, and stopping costs two system calls.
 */
const fewPackets = 250

/**
 * The end of the turn: everything that gathered output while the sockets of one poll were read is flushed once, so that
 * a connection is written to once a turn however many packets it was sent. When that is a lot (a large message for a
 * thousand subscribers, a small one for many thousand), the rest waits for the next turns, and those that have gathered something meanwhile
 * do not wait behind it.
 */
export class Turn {
  readonly #faults: Faults
  readonly #clock: Pick<Clock, 'monotonic'>
  #gathering: Gathering[] = []
  /** Those that were left over from earlier turns, oldest first. */
  #rest: Gathering[] = []
  #scheduled = false
  #packets = 0
  /** Who brought the last ones, and how many in a row. */
  #bringer: object | undefined
  #inARow = 0
  /** When somebody in this turn was found to have brought many; below 0: nobody was. */
  #since = -1

  constructor(faults: Faults = new Faults(), clock: Pick<Clock, 'monotonic'> = systemClock) {
    this.#faults = faults
    this.#clock = clock
  }

  add(one: Gathering): void {
    this.#gathering.push(one)
    this.#schedule()
  }

  /** Counts packets that have been handled. True: that is enough for one turn; who brought many of them may go on in the next. */
  isFilledBy(bringer: object, packets: number): boolean {
    this.#inARow = bringer === this.#bringer ? this.#inARow + packets : packets
    this.#bringer = bringer
    this.#packets += packets
    this.#schedule()
    return this.#inARow > fewPackets && (this.#packets > packetsATurn || this.#isOver())
  }

  /** Whether those who bring many have had their time of this turn. */
  #isOver(): boolean {
    const now = this.#clock.monotonic()
    if (this.#since < 0) this.#since = now
    return now - this.#since > msATurn
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#end)
  }

  readonly #end = (): void => {
    const gathering = this.#gathering
    this.#gathering = []
    this.#scheduled = false
    this.#packets = 0
    this.#bringer = undefined
    this.#since = -1
    const left = this.#flushSome(gathering)
    if (this.#rest.length > 0) this.#rest = this.#flushSome(this.#rest)
    if (left.length > 0) this.#rest = this.#rest.concat(left)
    if (this.#rest.length > 0) this.#schedule()
  }

  /** Answers what is left over. */
  #flushSome(gathering: readonly Gathering[]): Gathering[] {
    let bytes = 0
    for (let at = 0; at < gathering.length; at++) {
      if (bytes > bytesATurn || at === socketsATurn) return gathering.slice(at)
      bytes += this.#flush(gathering[at]!)
    }
    return []
  }

  #flush(one: Gathering): number {
    try {
      return one.flush()
    } catch (error) {
      this.#faults.contain(error, one, 'writing to its socket')
      return 0
    }
  }
}

/**
 * What one chunk may cause to be sent before others have their turn: some ten milliseconds of work. Less would cost more:
 * what a subscriber gets in one turn is one system call.
 */
export const burst = { packets: 25_000, bytes: 16_777_216 } as const

/** Packets that change what the broker holds which one chunk may have handled before others have their turn: each costs ten others. */
export const mostCostlyPackets = 50

/** SUBSCRIBE, UNSUBSCRIBE, what is to be retained, and the like: not other messages, not acknowledgements, not pings. */
export function isCostly(packet: Packet): boolean {
  const { type } = packet
  if (type === 'publish') return packet.retain
  return type === 'subscribe' || type === 'unsubscribe' || type === 'connect' || type === 'auth'
}
