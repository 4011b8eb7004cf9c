import type { BrokerProcess } from './broker-process.js'
import { untilClosed } from './bystanders.js'
import type { Findings } from './findings.js'
import type { Random } from './random.js'
import { now as monotonicNow, replay, type Timed } from './timeline.js'
import { Wire } from './wire.js'

/** Session Expiry Intervals, in seconds: for every time that the broker is down some that pass and some that do not. */
export const expiries: readonly number[] = [0, 10, 200, 2000, 0xffff_ffff]

type SleeperEvent = { readonly clientId: string } & (
  | { readonly type: 'greeted'; readonly expirySeconds: number; readonly time: number }
  /** DISCONNECT is on its way, maybe with another Session Expiry Interval. */
  | { readonly type: 'leaving'; readonly expirySeconds: number; readonly time: number }
  /** The broker has closed the connection: it has taken note. */
  | { readonly type: 'left' }
)

/** When a session ends, as far as it can be known. */
interface Sleep {
  /** For a connection that ends with the broker's process. */
  readonly expirySeconds: number
  readonly leaving?: { readonly endsAt: number; readonly certain: boolean }
}

/** What sessions were promised. */
export class SleeperState {
  readonly sleeps = new Map<string, Sleep>()

  apply(event: SleeperEvent): void {
    const { clientId } = event
    const known = this.sleeps.get(clientId)
    if (event.type === 'greeted') this.sleeps.set(clientId, { expirySeconds: event.expirySeconds })
    else if (event.type === 'leaving') {
      const endsAt = event.time + event.expirySeconds * 1000
      this.sleeps.set(clientId, { ...known!, leaving: { endsAt, certain: false } })
    } else this.sleeps.set(clientId, { ...known!, leaving: { endsAt: known!.leaving!.endsAt, certain: true } })
  }
}

/** Of all that a crash may have caught, so many of the newest are looked at. */
const looked = 8
/** A session ends within this time after it is due. */
const graceMs = 1000

/** One client after another that leaves a session, each to live for another time; the crash cuts off the last ones. */
export class Sleepers {
  readonly journal: Timed<SleeperEvent>[] = []
  state: SleeperState = new SleeperState()
  readonly #random: Random
  #count = 0
  #restartedAt = 0
  /** Whose connection was closed last. */
  #left: Timed<SleeperEvent> | undefined
  #running: Promise<void> | undefined

  constructor(random: Random) {
    this.#random = random
  }

  at(moment: bigint): Sleepers {
    const then = new Sleepers(this.#random)
    then.state = replay(new SleeperState(), this.journal, moment)
    then.#count = this.#count
    return then
  }

  /** One of each kind that stays connected, and one of each that has left for a while when the load begins. */
  async begin(broker: BrokerProcess): Promise<void> {
    for (const expirySeconds of expiries) {
      await this.#open(broker, expirySeconds)
      await this.#leave(await this.#open(broker, 10), expirySeconds, broker)
    }
  }

  load(broker: BrokerProcess): void {
    this.#running = untilClosed(async () => {
      for (;;) {
        const expirySeconds = this.#random.pick(expiries)
        const sleeper = await this.#open(broker, expirySeconds)
        if (this.#random.chance(0.2)) continue
        const later = expirySeconds === 0 ? 0 : this.#random.pick(expiries) // 0 stays 0 (section 3.14.2.2.2)
        await this.#leave(sleeper, later, broker)
      }
    })
  }

  async lost(): Promise<void> {
    await this.#running
  }

  restarted({ now }: BrokerProcess): void {
    this.#restartedAt = now
    this.#left = undefined
  }

  /** @param share which half of the sleepers is looked at: a session can be looked at once. */
  async verify(broker: BrokerProcess, share: 0 | 1, findings: Findings): Promise<void> {
    const all = [...this.state.sleeps]
    const some = new Map([...all.slice(0, expiries.length * 2), ...all.slice(-looked)])
    const asked = [...some].filter((_, at) => (at >> 1) % 2 === share)
    await Promise.all(asked.map(([clientId, sleep]) => this.#look(broker, clientId, sleep, findings)))
    if (share === 1) this.state = new SleeperState()
  }

  async #look(broker: BrokerProcess, clientId: string, sleep: Sleep, findings: Findings): Promise<void> {
    const atCrash = this.#restartedAt + sleep.expirySeconds * 1000
    const { leaving } = sleep
    const ends = leaving?.certain ? [leaving.endsAt] : leaving ? [atCrash, leaving.endsAt] : [atCrash]
    const present = await this.#isPresent(broker, clientId)
    if (!present && ends.every((end) => end > broker.now)) findings.sessionsGone.push(clientId)
    if (present && ends.every((end) => end + graceMs <= broker.now)) findings.sessionsOverdue.push(clientId)
  }

  async #open(broker: BrokerProcess, expirySeconds: number): Promise<{ clientId: string; wire: Wire }> {
    const clientId = `sleeper-${this.#count++}`
    const wire = await Wire.open(broker.port, { clientId, clean: false, expirySeconds }, 5)
    // The broker lives: it was not its death that closed the connection before.
    if (this.#left) this.#note(this.#left.event, this.#left.at)
    this.#left = undefined
    this.#note({ type: 'greeted', clientId, expirySeconds, time: broker.now })
    return { clientId, wire }
  }

  async #leave(
    { clientId, wire }: { clientId: string; wire: Wire },
    expirySeconds: number,
    { now }: BrokerProcess,
  ): Promise<void> {
    this.#note({ type: 'leaving', clientId, expirySeconds, time: now })
    await wire.disconnect({ properties: { sessionExpiryInterval: expirySeconds } })
    this.#left = { at: monotonicNow(), event: { type: 'left', clientId } }
  }

  async #isPresent({ port }: BrokerProcess, clientId: string): Promise<boolean> {
    const wire = await Wire.open(port, { clientId, clean: false, expirySeconds: 0 }, 5)
    await wire.disconnect()
    return wire.present
  }

  #note(event: SleeperEvent, at = monotonicNow()): void {
    this.journal.push({ at, event })
    this.state.apply(event)
  }
}
