import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Logger, systemClock } from '@godwit/broker'
import { type JetStreamManager, jetstream } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import { createInbox, type Msg, type MsgHdrs, type NatsConnection, headers as newHeaders } from '@nats-io/nats-core'
import { type ObjectStore, Objm } from '@nats-io/obj'
import {
  type Following,
  type LogServer,
  LogSilent,
  type LogState,
  type NodeNote,
  type PublishAnswer,
  type SnapshotNote,
  type StoredFrame,
} from '../log/log-server.js'
import { connectNats, EngineUnfit, type NatsOptions } from './connection.js'
import { managerOf, onceGathered, refusalOf } from './gathered.js'
import { Reading } from './reading.js'
import { ensureStream, namesOf, type StreamNames, type StreamSettings } from './stream.js'

export interface JetStreamLogOptions extends NatsOptions, Partial<StreamSettings> {
  /** The name of the cluster: letters, digits, `_` and `-`. All its streams have it in theirs. */
  readonly name: string
  readonly log?: Logger
}

const requestTimeoutMs = 1_000
/** How long a request for snapshots may take: they are large. */
const storeTimeoutMs = 30_000

/** Error codes with which a server refuses a publication. */
const codes = { wrongLast: 10_071, wrongLastInFlight: 10_164, storeFailed: 10_077, noMessage: 10_037 } as const

/**
 * The log of a cluster in NATS JetStream: connects, and makes its stream where there is none.
 * @throws EngineUnfit the servers cannot be reached, are too old, or have a stream of another shape under that name.
 */
export async function jetstreamLog(options: JetStreamLogOptions): Promise<LogServer> {
  const { name, replicas = 3, logBytes = 4_294_967_296, log = { log: () => {} } } = options
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new EngineUnfit(`${JSON.stringify(name)} is no name of a cluster: letters, digits, "_" and "-" are`)
  }
  const connection = await connectNats(options, `godwit ${name}`, log)
  try {
    const manager = await managerOf(connection, systemClock, log)
    const names = namesOf(name)
    const ensure = async (): Promise<Kept> => {
      await ensureStream(manager, names, { replicas, logBytes })
      const snapshots = await new Objm(jetstream(connection, { timeout: storeTimeoutMs })).create(names.snapshots, {
        replicas,
        description: `snapshots of the Godwit cluster ${name}`,
      })
      return { snapshots, nodes: await new Kvm(connection).create(names.nodes, { replicas, history: 1 }) }
    }
    const kept = await onceGathered(ensure, systemClock, log)
    return new JetStreamLog({ connection, manager, names, ...kept, ensure })
  } catch (error) {
    await connection.close()
    if (error instanceof EngineUnfit) throw error
    throw refusalOf(error as Error)
  }
}

/** What is kept beside the log. */
interface Kept {
  readonly snapshots: ObjectStore
  readonly nodes: KV
}

interface Parts extends Kept {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  readonly names: StreamNames
  /** Makes all of it where it is not there. */
  readonly ensure: () => Promise<Kept>
}

class JetStreamLog implements LogServer {
  readonly #parts: Parts
  readonly #inbox = createInbox()
  readonly #waiting = new Map<string, (answer: PublishAnswer) => void>()
  #tokens = 0
  /** The revision of what this node has told of itself last. */
  #noted = 0

  constructor(parts: Parts) {
    this.#parts = parts
    parts.connection.subscribe(`${this.#inbox}.*`, { callback: (_, message) => this.#onAnswer(message) })
  }

  /** Answers come to an inbox of this class: the publish of the library costs six times as much. */
  publish(bytes: Uint8Array, after: number, withinMs: number): Promise<PublishAnswer> {
    const { connection, names } = this.#parts
    const reply = `${this.#inbox}.${++this.#tokens}`
    const headers: MsgHdrs = newHeaders()
    headers.set('Nats-Expected-Stream', names.log)
    headers.set('Nats-Expected-Last-Subject-Sequence', String(after))
    return new Promise((resolve) => {
      const answer = (is: PublishAnswer): void => {
        cancel()
        this.#waiting.delete(reply)
        resolve(is)
      }
      const cancel = systemClock.timeout(withinMs, () => answer('silent'))
      this.#waiting.set(reply, answer)
      try {
        connection.publish(names.subject, bytes, { reply, headers })
      } catch {
        answer('silent')
      }
    })
  }

  #onAnswer(message: Msg): void {
    this.#waiting.get(message.subject)?.(meaningOf(message))
  }

  async last(): Promise<StoredFrame | undefined> {
    const { names } = this.#parts
    const answer = await this.#ask(`$JS.API.STREAM.MSG.GET.${names.log}`, { last_by_subj: names.subject })
    if (answer.error?.err_code === codes.noMessage) return undefined
    const { message } = answer
    if (!message) throw new LogSilent(answer.error?.description ?? 'the leader has not answered')
    return { sequence: message.seq, bytes: Buffer.from(message.data ?? '', 'base64') }
  }

  async #ask(subject: string, question: object): Promise<Answer> {
    try {
      const { connection } = this.#parts
      const answer = await connection.request(subject, JSON.stringify(question), { timeout: requestTimeoutMs })
      return answer.json<Answer>()
    } catch (error) {
      throw new LogSilent((error as Error).message)
    }
  }

  follow(from: number, onFrame: (frame: StoredFrame) => void, onEnd: (why: string) => void): Promise<Following> {
    const { connection, manager, names } = this.#parts
    return this.#patiently(() => Reading.begin({ connection, manager, stream: names.log, from, onFrame, onEnd }))
  }

  async state(): Promise<LogState> {
    const { manager, names } = this.#parts
    const { state, config } = await this.#patiently(() => manager.streams.info(names.log))
    const first = state.messages === 0 ? state.last_seq + 1 : state.first_seq
    return { first, last: state.last_seq, bytes: state.bytes, maxBytes: Math.max(0, config.max_bytes) }
  }

  async trim(before: number): Promise<void> {
    const { manager, names } = this.#parts
    await this.#patiently(() => manager.streams.purge(names.log, { seq: before }))
  }

  async snapshots(): Promise<readonly SnapshotNote[]> {
    const found = await this.#patiently(() => this.#parts.snapshots.list())
    const notes = found
      .filter(({ deleted }) => !deleted)
      .map(({ name, size, metadata = {} }) => ({
        name,
        sequence: Number(metadata.sequence),
        bytes: size,
        createdAt: metadata.createdAt ?? '',
      }))
    return notes.filter(({ sequence }) => sequence > 0).sort((a, b) => b.sequence - a.sequence)
  }

  async putSnapshot(file: string, sequence: number): Promise<SnapshotNote> {
    const { snapshots } = this.#parts
    const name = `frame-${sequence}`
    const createdAt = new Date().toISOString()
    const { size } = await stat(file)
    const metadata = { sequence: String(sequence), createdAt }
    const stream = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>
    await snapshots.put({ name, metadata }, stream, { timeout: storeTimeoutMs })
    await this.#readBack(name, size)
    return { name, sequence, bytes: size, createdAt }
  }

  /** The library compares the digest at the end. */
  async #readBack(name: string, bytes: number): Promise<void> {
    const found = await this.#parts.snapshots.get(name)
    let read = 0
    if (found) for await (const chunk of found.data as unknown as AsyncIterable<Uint8Array>) read += chunk.length
    const error = await found?.error
    if (read === bytes && !error) return
    await this.#parts.snapshots.delete(name).catch(() => {})
    throw new Error(`snapshot ${name} cannot be read back: ${error?.message ?? `${read} of ${bytes} bytes`}`)
  }

  async getSnapshot({ name, bytes }: SnapshotNote, file: string): Promise<void> {
    const found = await this.#patiently(() => this.#parts.snapshots.get(name))
    if (!found) throw new Error(`snapshot ${name} is gone`)
    await pipeline(Readable.fromWeb(found.data as never), createWriteStream(file, { mode: 0o600, flush: true }))
    const error = await found.error
    if (error) throw error
    const { size } = await stat(file)
    if (size !== bytes) throw new Error(`snapshot ${name} has ${size} bytes, and ${bytes} are expected`)
  }

  async deleteSnapshot({ name }: SnapshotNote): Promise<void> {
    await this.#patiently(() => this.#parts.snapshots.delete(name))
  }

  async note(note: NodeNote): Promise<boolean> {
    const { nodes } = this.#parts
    const text = JSON.stringify(note)
    const known = this.#noted
    try {
      this.#noted = await (known === 0 ? nodes.put(note.node, text) : nodes.update(note.node, text, known))
      return true
    } catch (error) {
      if ((error as { code?: number }).code !== codes.wrongLast) throw new LogSilent((error as Error).message)
      this.#noted = await this.#patiently(() => nodes.put(note.node, text))
      return false
    }
  }

  async notes(): Promise<readonly NodeNote[]> {
    const { nodes } = this.#parts
    return await this.#patiently(async () => {
      const found: NodeNote[] = []
      const keys: string[] = []
      for await (const key of await nodes.keys()) keys.push(key)
      for (const key of keys) {
        const entry = await nodes.get(key)
        if (entry) found.push(entry.json<NodeNote>())
      }
      return found
    })
  }

  /** Asks the servers. Whatever the library throws means that they do not answer. @throws LogSilent */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      throw new LogSilent((error as Error).message)
    }
  }

  async ensure(): Promise<void> {
    await this.#patiently(() => this.#parts.ensure())
  }

  async close(): Promise<void> {
    for (const answer of [...this.#waiting.values()]) answer('silent')
    await this.#parts.connection.close()
  }
}

interface Answer {
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string }
  readonly message?: { readonly seq: number; readonly data?: string }
  readonly seq?: number
  readonly stream?: string
}

function meaningOf(message: Msg): PublishAnswer {
  if (message.data.length === 0) return 'silent' // 503: no leader listens
  try {
    const { error, seq } = message.json<Answer>()
    if (error === undefined) return typeof seq === 'number' ? seq : 'silent'
    if (error.err_code === codes.wrongLast || error.err_code === codes.wrongLastInFlight) return 'look'
    return error.err_code === codes.storeFailed ? 'full' : 'silent'
  } catch {
    return 'silent'
  }
}
