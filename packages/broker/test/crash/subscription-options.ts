import { encodeUtf8, type Packet, type QoS } from '@godwit/protocol'
import type { BrokerProcess } from './broker-process.js'
import { untilClosed } from './bystanders.js'
import type { Findings } from './findings.js'
import type { Random } from './random.js'
import { now, replay, type Timed } from './timeline.js'
import { Wire } from './wire.js'

interface Options {
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  /** 0: none. */
  readonly identifier: number
}

interface OptionsEvent {
  readonly filter: string
  /** As SUBACK said; `undefined`: SUBSCRIBE is on its way. */
  readonly options: Options | undefined
}

class OptionsState {
  readonly subscriptions = new Map<string, Options | undefined>()

  apply({ filter, options }: OptionsEvent): void {
    this.subscriptions.set(filter, options)
  }
}

const filters = Array.from({ length: 10 }, (_, n) => `o/${n}`)
const clientId = 'chooser'

/** A client that keeps subscribing to the same filters with other options and identifiers. */
export class SubscriptionOptions {
  readonly #journal: Timed<OptionsEvent>[] = []
  readonly #random: Random
  #state = new OptionsState()
  #running: Promise<void> | undefined

  constructor(random: Random) {
    this.#random = random
  }

  at(moment: bigint): SubscriptionOptions {
    const then = new SubscriptionOptions(this.#random)
    then.#state = replay(new OptionsState(), this.#journal, moment)
    return then
  }

  async begin({ port }: BrokerProcess): Promise<void> {
    const wire = await this.#open(port)
    await wire.subscribe(1, 'o/end')
    for (const filter of filters) await this.#choose(wire, filter)
    await wire.disconnect()
  }

  load({ port }: BrokerProcess): void {
    this.#running = untilClosed(async () => {
      const wire = await this.#open(port)
      for (;;) await this.#choose(wire, this.#random.pick(filters))
    })
  }

  async lost(): Promise<void> {
    await this.#running
  }

  /** A message of its own and one of another client's to each filter: how they come shows the options. */
  async verify({ port }: BrokerProcess, findings: Findings): Promise<void> {
    const own = new Set<string>()
    const found = new Map<string, Omit<Options, 'noLocal'>>()
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const onPacket = (packet: Packet, from: Wire): void => {
      if (packet.type !== 'publish') return
      const { topic, qos, retain, payload, properties } = packet
      if (qos === 1) from.send({ type: 'puback', packetId: packet.packetId ?? 0 })
      const [identifier = 0] = properties?.subscriptionIdentifiers ?? []
      if (topic === 'o/end') end()
      else if (payload[0] === ownMark) own.add(topic)
      else found.set(topic, { qos, retainAsPublished: retain, identifier })
    }
    const wire = await this.#open(port, onPacket)
    if (!wire.present) findings.sessionsGone.push(clientId)
    if (!wire.present) await wire.subscribe(1, 'o/end')
    await publish(wire, filters, Uint8Array.of(ownMark))
    const other = await Wire.open(port, { clientId: 'another', clean: true }, 5)
    await publish(other, [...filters, 'o/end'], encodeUtf8('?'))
    await ended
    for (const [filter, options] of this.#state.subscriptions) {
      const seen = { noLocal: !own.has(filter), ...found.get(filter) }
      const same =
        options &&
        (['qos', 'noLocal', 'retainAsPublished', 'identifier'] as const).every(
          (name) => options[name] === (seen as Partial<Options>)[name],
        )
      if (options && !same)
        findings.subscriptions.push(`${filter}: ${JSON.stringify(seen)}, not ${JSON.stringify(options)}`)
    }
    await Promise.all([other.disconnect(), wire.disconnect()])
  }

  #open(port: number, onPacket?: (packet: Packet, from: Wire) => void): Promise<Wire> {
    return Wire.open(port, { clientId, clean: false, ...(onPacket && { onPacket }) }, 5)
  }

  async #choose(wire: Wire, filter: string): Promise<void> {
    const options: Options = {
      qos: this.#random.pick<QoS>([0, 1]),
      noLocal: this.#random.chance(0.5),
      retainAsPublished: this.#random.chance(0.5),
      identifier: this.#random.pick([0, 1, 268_435_455]),
    }
    this.#note({ filter, options: undefined })
    const { identifier, ...how } = options
    await wire.subscribeWith({ filter, ...how, retainHandling: neverReplayed }, identifier)
    this.#note({ filter, options })
  }

  #note(event: OptionsEvent): void {
    this.#journal.push({ at: now(), event })
    this.#state.apply(event)
  }
}

const ownMark = 1
const neverReplayed = 2

/** Retained, at QoS 1. */
async function publish(wire: Wire, topics: readonly string[], payload: Uint8Array): Promise<void> {
  const answers = topics.map(() => wire.expect('puback'))
  for (const [at, topic] of topics.entries()) {
    wire.send({ type: 'publish', topic, payload, qos: 1, retain: true, dup: false, packetId: at + 1 })
  }
  await Promise.all(answers)
}
