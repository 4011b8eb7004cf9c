import { encodeUtf8, type Packet } from '@godwit/protocol'
import type { Findings } from './findings.js'
import type { Random } from './random.js'
import { Closed, Wire } from './wire.js'

/** Clients that leave a will at every round: two that the crash cuts off, and one that takes its leave. */
export class Wills {
  due: readonly string[] = []
  discarded: readonly string[] = []
  #wires: readonly Wire[] = []
  #round = 0

  async connect(port: number): Promise<void> {
    this.#round++
    const durable = await this.#open(port, 'will-durable', false)
    const clean = await this.#open(port, 'will-clean', true)
    const quiet = await this.#open(port, 'will-discarded', false)
    await quiet.disconnect()
    this.#wires = [durable, clean]
    this.due = ['will-durable', 'will-clean'].map((name) => `${name}:${this.#round}`)
    this.discarded = [`will-discarded:${this.#round}`]
  }

  async lost(): Promise<void> {
    await Promise.all(this.#wires.map(({ closed }) => closed))
  }

  #open(port: number, clientId: string, clean: boolean): Promise<Wire> {
    const payload = encodeUtf8(`${clientId}:${this.#round} `)
    return Wire.open(port, { clientId, clean, will: { topic: `w/${clientId}`, payload, qos: 2, retain: false } })
  }
}

/** A client that keeps subscribing and unsubscribing, and remembers what it was answered last. */
export class Fickle {
  /** `undefined`: an answer was on its way when the broker died. */
  readonly #subscribed = new Map<string, boolean | undefined>()
  readonly #random: Random
  #running: Promise<void> | undefined

  constructor(random: Random) {
    this.#random = random
    for (let n = 0; n < 20; n++) this.#subscribed.set(`s/${n}`, false)
  }

  async connect(port: number): Promise<void> {
    const wire = await Wire.open(port, { clientId: 'fickle', clean: false })
    await wire.subscribe(1, 's/end')
    await wire.disconnect()
  }

  load(port: number): void {
    this.#running = untilClosed(async () => {
      const wire = await Wire.open(port, { clientId: 'fickle', clean: false })
      for (;;) {
        const filter = this.#random.pick([...this.#subscribed.keys()])
        const wanted = !this.#subscribed.get(filter)
        this.#subscribed.set(filter, undefined)
        await (wanted ? wire.subscribe(1, filter) : wire.unsubscribe(filter))
        this.#subscribed.set(filter, wanted)
      }
    })
  }

  async lost(): Promise<void> {
    await this.#running
  }

  /** One message to each filter: those that come show which subscriptions there are. */
  async verify(port: number, findings: Findings): Promise<void> {
    const received = new Set<string>()
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const onPacket = (packet: Packet, from: Wire): void => {
      if (packet.type !== 'publish') return
      from.send({ type: 'puback', packetId: packet.packetId ?? 0 })
      received.add(packet.topic)
      if (packet.topic === 's/end') end()
    }
    const wire = await Wire.open(port, { clientId: 'fickle', clean: false, onPacket })
    if (!wire.present) findings.sessionsGone.push('fickle')
    if (!wire.present) await wire.subscribe(1, 's/end')
    const sender = await Wire.open(port, { clientId: 'sender', clean: true })
    for (const [at, topic] of [...this.#subscribed.keys(), 's/end'].entries()) {
      const payload = encodeUtf8('?')
      sender.send({ type: 'publish', topic, payload, qos: 1, retain: false, dup: false, packetId: at + 1 })
    }
    await ended
    for (const [filter, subscribed] of this.#subscribed) {
      if (subscribed !== undefined && subscribed !== received.has(filter)) findings.subscriptions.push(filter)
      this.#subscribed.set(filter, received.has(filter))
    }
    await Promise.all([sender.disconnect(), wire.disconnect()])
  }
}

/** One client after another that makes a session with Clean Session 0; every second one clears it with Clean Session 1. */
export class Comers {
  readonly #kept: string[] = []
  readonly #cleared: string[] = []
  #count = 0
  #running: Promise<void> | undefined

  load(port: number): void {
    this.#running = untilClosed(async () => {
      for (;;) {
        const clientId = `comer-${this.#count++}`
        const first = await Wire.open(port, { clientId, clean: false })
        await first.subscribe(1, 's/end')
        if (this.#count % 2 === 0) {
          this.#kept.push(clientId)
          await first.disconnect()
          continue
        }
        await first.disconnect()
        const second = await Wire.open(port, { clientId, clean: true })
        this.#cleared.push(clientId)
        await second.disconnect()
      }
    })
  }

  async lost(): Promise<void> {
    await this.#running
  }

  /** The newest are those that a crash may have caught. */
  async verify(port: number, findings: Findings): Promise<void> {
    for (const clientId of this.#kept.slice(-3)) {
      if (!(await this.#isPresent(port, clientId))) findings.sessionsGone.push(clientId)
    }
    for (const clientId of this.#cleared.slice(-3)) {
      if (await this.#isPresent(port, clientId)) findings.sessionsRisen.push(clientId)
    }
    this.#kept.length = 0
    this.#cleared.length = 0
  }

  async #isPresent(port: number, clientId: string): Promise<boolean> {
    const wire = await Wire.open(port, { clientId, clean: false })
    await wire.disconnect()
    return wire.present
  }
}

/** Runs a dialogue until the broker is killed in the middle of it. */
export async function untilClosed(dialogue: () => Promise<never>): Promise<void> {
  try {
    await dialogue()
  } catch (error) {
    if (!(error instanceof Closed)) throw error
  }
}
