import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decoder, type Packet, type QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { BrokerProcess, type Mutant } from './broker-process.js'
import { Findings, report } from './findings.js'
import { Publisher, PublisherState } from './publisher.js'
import { keyIn, Subscriber, SubscriberState } from './subscriber.js'
import { type Call, readCalls, strace } from './system-calls.js'
import { missingTool } from './tools.js'
import { filters } from './verify.js'

const missing = missingTool('strace', 'strace')
const messages = 60

describe('under strace', () => {
  it.skipIf(missing).for<[qos: QoS, window: number]>([
    [1, 20],
    [2, 20],
    [2, 1],
  ])('every acknowledgement follows the sync of its record: QoS %i, %i at a time', async ([qos, window]) => {
    const { checked, findings } = await traceRun(qos, window)
    const mode = `QoS ${qos}, ${window} at a time`
    report({ suite: 'strace', mode, rounds: 1, acknowledged: messages, findings })
    expect(findings.all).toEqual({})
    expect(checked).toBe(qos * messages)
  })

  it.skipIf(missing)('acknowledgements of a store that does not wait are seen to be early', async () => {
    const { findings } = await traceRun(2, 20, 'does not wait')
    expect(findings.early.size).toBeGreaterThan(0)
  })
})

async function traceRun(qos: QoS, window: number, mutant?: Mutant): Promise<{ checked: number; findings: Findings }> {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-strace-'))
  const trace = join(folder, 'trace')
  const broker = new BrokerProcess(strace(trace))
  try {
    const publisher = new Publisher(new PublisherState('anna'), { qos, window })
    const port = await broker.open({ directory: join(folder, 'data'), ...(mutant && { mutant }) })
    await leaveSubscription(port, qos)
    await publisher.connect(port)
    await publisher.finish(messages)
    await broker.close() // a kill might come before strace has noted what the client has already read
    await publisher.lost()
    await broker.kill()
    return checkOrder(readCalls(trace))
  } finally {
    await broker.kill()
    rmSync(folder, { recursive: true })
  }
}

/** A durable session that everything is for. */
async function leaveSubscription(port: number, qos: QoS): Promise<void> {
  const subscriber = new Subscriber('sleeper', new SubscriberState())
  await subscriber.connect(port)
  await subscriber.subscribe(qos, ...filters)
  await subscriber.disconnect()
}

/** Finds for each acknowledgement its record on disk and the sync after it. */
function checkOrder(calls: readonly Call[]): { checked: number; findings: Findings } {
  const findings = new Findings()
  const onData = calls.filter(({ on }) => on.endsWith('/data.mdb'))
  const isSync = ({ name }: Call): boolean => name === 'fdatasync' || name === 'fsync' || name === 'msync'
  const writes = onData.filter((call) => !isSync(call))
  const syncs = onData.filter(isSync)
  let checked = 0
  for (const { packet, began, about } of acknowledgements(calls)) {
    checked++
    // PUBCOMP promises the removal of an id, which looks like nothing: it is what is written after PUBREL was read.
    const record = writes.find(
      (write) => write.began > about.returned && (!about.key || write.data.includes(about.key)),
    )
    const sync = record && syncs.find((one) => one.began > record.returned)
    if (!sync || sync.returned > began) findings.early.push(`${packet.type} ${about.key ?? about.packetId}`)
  }
  return { checked, findings }
}

/** What an acknowledgement answers. */
interface Subject {
  readonly packetId: number
  /** How the message's payload begins; none for PUBREL. */
  readonly key: string | undefined
  readonly returned: number
}

interface Acknowledgement {
  readonly packet: Packet
  readonly began: number
  readonly about: Subject
}

/** Every PUBACK, PUBREC and PUBCOMP that was written to a socket, with what it answers. */
function* acknowledgements(calls: readonly Call[]): Generator<Acknowledgement> {
  const conversations = new Map<string, Conversation>()
  for (const call of calls) {
    // Other sockets are there too: the channel to the process that started it speaks JSON.
    if (!call.on.startsWith('socket:') || call.data[0] === 0x7b) continue
    const conversation = conversations.get(call.on) ?? new Conversation()
    conversations.set(call.on, conversation)
    if (call.name.startsWith('re')) conversation.read(call)
    else yield* conversation.written(call)
  }
}

/** What one client and the broker said to each other. */
class Conversation {
  readonly #in = new Decoder()
  readonly #out = new Decoder()
  readonly #open = new Map<number, Subject>()

  read({ data, returned }: Call): void {
    for (const packet of packetsOf(this.#in, data)) {
      if (packet.type === 'pubrel') this.#open.set(packet.packetId, { ...packet, key: undefined, returned })
      if (packet.type !== 'publish') continue
      const { packetId = 0, payload } = packet
      this.#open.set(packetId, { packetId, key: `${keyIn(payload)} `, returned })
    }
  }

  *written({ data, began }: Call): Generator<Acknowledgement> {
    for (const packet of packetsOf(this.#out, data)) {
      if (packet.type !== 'puback' && packet.type !== 'pubrec' && packet.type !== 'pubcomp') continue
      yield { packet, began, about: this.#open.get(packet.packetId)! }
    }
  }
}

function* packetsOf(decoder: Decoder, data: Buffer): Generator<Packet> {
  decoder.push(data)
  for (let packet = decoder.next(); packet; packet = decoder.next()) yield packet
}
