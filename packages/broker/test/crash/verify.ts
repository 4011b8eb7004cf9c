import type { Packet, QoS } from '@godwit/protocol'
import type { Findings } from './findings.js'
import type { Publisher } from './publisher.js'
import { keyIn, type Subscriber } from './subscriber.js'
import { Wire } from './wire.js'

/** Who was there before the crash, each with the state that it kept. */
export interface Survivors {
  readonly qos: QoS
  readonly publishers: readonly Publisher[]
  readonly subscribers: readonly Subscriber[]
  /** Keys of wills that must be published, and of those that must not. */
  readonly wills: { readonly due: readonly string[]; readonly discarded: readonly string[] }
  /** Where loss is certain it need not be waited for. */
  readonly patienceMs?: number
}

/** What every subscriber subscribes to. */
export const filters: readonly string[] = ['c/#', 'w/#']

/** How long all acknowledgements, and all deliveries, may take before what is missing counts as lost. */
export const defaultPatienceMs = 5000

/**
 * After a restart: everybody comes back, publishers finish what they had begun, subscribers take what is there.
 * Everybody is connected when it is done.
 */
export async function verify(port: number, survivors: Survivors, findings: Findings): Promise<void> {
  const { publishers, subscribers, patienceMs = defaultPatienceMs } = survivors
  await checkRetained(port, publishers, findings)
  await Promise.all([
    ...publishers.map(async (publisher) => {
      if (!(await publisher.connect(port))) findings.sessionsGone.push(publisher.state.name)
    }),
    ...subscribers.map(async (subscriber) => {
      if (await subscriber.connect(port)) return
      findings.sessionsGone.push(subscriber.name)
      await subscriber.subscribe(survivors.qos, ...filters)
    }),
  ])
  await within(
    patienceMs,
    publishers.map((publisher) => publisher.finish()),
  )
  const last = publishers.map(({ state }) => state.keyOf(state.next - 1))
  await within(
    patienceMs,
    subscribers.flatMap((subscriber) => last.map((key) => subscriber.received(key))),
  )
  for (const { state } of publishers) {
    for (const { number } of state.open.values()) findings.unfinished.push(state.keyOf(number))
  }
  for (const subscriber of subscribers) judge(subscriber, survivors, findings)
}

/** By now every message that was ever sent has been acknowledged. */
function judge({ name, state }: Subscriber, { qos, publishers, wills }: Survivors, findings: Findings): void {
  const { deliveries, outOfOrder } = state
  for (const { state: sent } of publishers) {
    for (let number = 0; number < sent.next; number++) {
      const key = sent.keyOf(number)
      if (!deliveries.has(key)) findings.lost.push(`${key} for ${name}`)
    }
  }
  for (const [key, times] of qos === 2 ? deliveries : []) {
    if (times > 1) findings.duplicates.push(`${key} for ${name}`)
  }
  for (const key of outOfOrder) findings.outOfOrder.push(`${key} for ${name}`)
  for (const key of wills.due) if (!deliveries.has(key)) findings.wills.push(`${key} was not published`)
  for (const key of wills.discarded) if (deliveries.has(key)) findings.wills.push(`${key} was published`)
}

async function checkRetained(port: number, publishers: readonly Publisher[], findings: Findings): Promise<void> {
  const found = await readRetained(port)
  for (const { state } of publishers) {
    for (const [topic, number] of state.retained()) {
      if ((found.get(topic) ?? -1) < number) findings.retained.push(`${topic}: ${number}`)
    }
  }
}

/** The number of the retained message of each topic. */
async function readRetained(port: number): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  const onPacket = (packet: Packet): void => {
    if (packet.type === 'publish') found.set(packet.topic, Number(keyIn(packet.payload).split(':')[1]))
  }
  const wire = await Wire.open(port, { clientId: 'reader', clean: true, onPacket })
  await wire.subscribe(0, 'c/retained/#')
  wire.send({ type: 'pingreq' }) // its answer comes after what is retained
  await wire.expect('pingresp')
  await wire.disconnect()
  return found
}

/** Waits for all of it, but no longer than so. */
export async function within(ms: number, done: readonly Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([Promise.all(done), late])
  clearTimeout(timer)
}
