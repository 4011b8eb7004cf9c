import { setTimeout as after } from 'node:timers/promises'
import type { QoS, ReceivedPublish } from '@godwit/protocol'
import { untilClosed } from './bystanders.js'
import type { Findings } from './findings.js'
import type { Random } from './random.js'
import { Subscriber, SubscriberState } from './subscriber.js'
import { replay } from './timeline.js'
import { Wire } from './wire.js'

const filter = '$share/team/q/#'
const names = ['mia', 'max', 'moa'] as const
/** How long a member is there, and is away, under load. */
const stayMs = [1, 15] as const
const mostKeptBack = 20

export interface SharedMembersOptions {
  readonly qos: QoS
  readonly random: Random
  readonly onPublish: (packet: ReceivedPublish, key: string) => void
}

/** The members of one shared subscription, who come and go, and leave answers out: what one has may move to another. */
export class SharedMembers {
  readonly #options: SharedMembersOptions
  readonly #members: readonly Subscriber[]
  #keptBack = 0
  #isLoading = false
  #running: Promise<unknown> = Promise.resolve()
  /** Called when a member was given a message. */
  #onDelivery: (key: string) => void = () => {}

  constructor(
    options: SharedMembersOptions,
    states: readonly SubscriberState[] = names.map(() => new SubscriberState()),
  ) {
    const { random, onPublish } = options
    this.#options = options
    const keepsBack = (): boolean => this.#isLoading && random.chance(0.05) && this.#keptBack++ < mostKeptBack
    this.#members = names.map(
      (name, at) =>
        new Subscriber(name, states[at]!, {
          ...{ version: 5, keepsBack },
          onPublish: (packet, key) => {
            onPublish(packet, key)
            this.#onDelivery(key)
          },
        }),
    )
  }

  at(moment: bigint, options: SharedMembersOptions): SharedMembers {
    const states = this.#members.map(({ journal }) => replay(new SubscriberState(), journal, moment))
    return new SharedMembers(options, states)
  }

  async begin(port: number): Promise<void> {
    for (const member of this.#members) {
      await member.connect(port)
      await member.subscribe(this.#options.qos, filter)
    }
  }

  /** Each comes and goes by itself, so that now and then nobody is there. */
  async load(port: number): Promise<void> {
    for (const member of this.#members) await member.disconnect()
    this.#keptBack = 0
    this.#isLoading = true
    const dialogues = this.#members.map((member) => this.#comeAndGo(port, member))
    // At QoS 2 what it is handed is nobody else's [MQTT-4.8.2-5]: it would go with its session.
    if (this.#options.qos === 1) dialogues.push(this.#visit(port))
    this.#running = Promise.all(dialogues)
  }

  async lost(): Promise<void> {
    await this.#running
    this.#isLoading = false
    await Promise.all(this.#members.map((member) => member.lost()))
  }

  async connect(port: number, findings: Findings): Promise<void> {
    for (const member of this.#members) {
      if (await member.connect(port)) continue
      findings.sessionsGone.push(member.name)
      await member.subscribe(this.#options.qos, filter)
    }
  }

  #comeAndGo(port: number, member: Subscriber): Promise<void> {
    return untilClosed(async () => {
      for (;;) {
        await this.#stay()
        await member.connect(port)
        await this.#stay()
        await member.disconnect()
      }
    })
  }

  /** A member whose session ends with its connection and who acknowledges nothing: all that it is handed goes to others. */
  #visit(port: number): Promise<void> {
    return untilClosed(async () => {
      for (;;) {
        const guest = await Wire.open(port, { clientId: 'guest', clean: true }, 5)
        await guest.subscribe(1, filter)
        await this.#stay()
        await guest.cut()
      }
    })
  }

  async #stay(): Promise<void> {
    await after(this.#options.random.between(...stayMs))
  }

  /** Resolves when each of these was given to some member. */
  async received(keys: Iterable<string>): Promise<void> {
    const missing = new Set(keys)
    for (const { state } of this.#members) for (const key of state.deliveries.keys()) missing.delete(key)
    if (missing.size === 0) return
    await new Promise<void>((resolve) => {
      this.#onDelivery = (key) => {
        if (missing.delete(key) && missing.size === 0) resolve()
      }
    })
  }

  /** How many times a message was given to all members together. */
  timesOf(key: string): number {
    return this.#members.reduce((sum, { state }) => sum + (state.deliveries.get(key) ?? 0), 0)
  }
}
