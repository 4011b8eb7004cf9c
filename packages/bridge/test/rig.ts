import { setTimeout as wait } from 'node:timers/promises'
import { type Broker, type BrokerOptions, createBroker, memoryPair } from '@godwit/broker'
import type { OpenStream } from '@godwit/client'
import { afterEach } from 'vitest'
import { type Bridge, type BridgeOptions, bridge } from '../src/index.js'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

export interface Side {
  readonly broker: Broker
  readonly log: string[]
}

export async function side(options: BrokerOptions = {}): Promise<Side> {
  const log: string[] = []
  const broker = await createBroker({
    sysIntervalSeconds: 0,
    log: { log: (level, message, fields) => void log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`) },
    ...options,
  })
  open.push(broker)
  return { broker, log }
}

/** Connections to a broker of this process, which the test can cut. */
export class Wire {
  to: Broker
  /** False: whoever dials gets no answer. */
  isUp = true
  #streams = new Set<ReturnType<typeof memoryPair>[number]>()

  constructor(to: Broker) {
    this.to = to
  }

  readonly openStream: OpenStream = (_server, events) => {
    const [ours, theirs] = memoryPair()
    if (!this.isUp) ours.destroy()
    else this.to.handle(theirs, { transport: 'memory', address: 'bridge' })
    this.#streams.add(ours)
    queueMicrotask(() => ours.destroyed || events.onOpen())
    ours.on('data', (chunk: Uint8Array) => events.onData(chunk))
    ours.on('drain', () => events.onDrain())
    ours.on('error', () => {})
    ours.on('close', () => {
      this.#streams.delete(ours)
      events.onClose(undefined)
    })
    return {
      write: (bytes) => ours.write(bytes),
      end: () => void ours.end(),
      destroy: () => void ours.destroy(),
      pause: () => void ours.pause(),
      resume: () => void ours.resume(),
    }
  }

  cut(): void {
    for (const stream of this.#streams) stream.destroy()
  }
}

export interface Bridged {
  readonly bridge: Bridge
  readonly wire: Wire
  readonly log: string[]
}

export async function bridged(
  near: Side,
  far: Side,
  options: Partial<BridgeOptions> & Pick<BridgeOptions, 'topics'>,
): Promise<Bridged> {
  const wire = new Wire(far.broker)
  const log: string[] = []
  const made = await bridge(near.broker, {
    name: 'far',
    clientId: 'far',
    url: 'mqtt://far',
    openStream: wire.openStream,
    reconnect: { initialMs: 1, maxMs: 1 },
    log: { log: (level, message, fields) => void log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`) },
    ...options,
  })
  open.push(made)
  return { bridge: made, wire, log }
}

/** Waits until it is so; the test's time limit is the bound. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await wait(2)
}

/** What a subscriber of a broker has been given: `topic payload`. */
export function heard(broker: Broker, filter: string): string[] {
  const lines: string[] = []
  broker.subscribe(filter, (message) => {
    lines.push(`${message.topic} ${message.text()}${message.retain ? ' retained' : ''}`)
  })
  return lines
}

/** Waits until that many subscriptions are there. */
export async function subscribed({ broker }: Side, count = 1): Promise<void> {
  await until(
    async () => (await all(broker.subscriptions.list())).filter(({ clientId }) => clientId === 'far').length >= count,
  )
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
