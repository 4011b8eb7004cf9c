import { rmSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { silentLogger } from '../../log.js'
import { Metrics } from '../../metrics.js'
import { CommitTurns } from './commit-turns.js'
import { Disk } from './disk.js'
import { readBatch } from './format-1/batch.js'
import { type Cursor, readCursor } from './format-1/cursor.js'
import { readMessage } from './format-1/message-record.js'
import { type Tables as OldTables, openTables as openOld, type SessionRecord } from './format-1/tables.js'
import {
  clockKey,
  dueKey,
  hashOf,
  receivedKey,
  type SessionNumber,
  sessionKey,
  shareKey,
  subscriptionKey,
} from './keys.js'
import {
  writeClock,
  writeCount,
  writeCursor,
  writePage,
  writeRetained,
  writeSession,
  writeSubscription,
  writeWill,
} from './records.js'
import { ShareBuilder } from './share-record.js'
import { closeTables, openTables, type Tables, type Write } from './tables.js'

/** Written in one transaction. */
const bytesAtOnce = 4_194_304

/** Format 1 did not say how much a client may have been sent: this was the default. */
const windowOfFormat1 = 256

/** What an upgrade has moved. */
interface Upgraded {
  readonly sessions: number
  readonly messages: number
  readonly retained: number
}

/**
 * Writes all that a file of format 1 holds into a new file. The old one stays as it is.
 * @throws when something in it cannot be read, or the disk has no room for both.
 */
export async function upgradeFile(directory: string, from: string, to: string): Promise<Upgraded> {
  rmSync(to, { force: true })
  rmSync(`${to}-lock`, { force: true })
  const old = openOld(from)
  const tables = openTables(to)
  const upgrade = new Upgrade(directory, to, old, tables)
  try {
    return await upgrade.run()
  } finally {
    await closeTables(tables, upgrade.refuses)
    await old.root.close()
    rmSync(`${to}-lock`, { force: true })
  }
}

class Upgrade {
  readonly #old: OldTables
  readonly #disk: Disk
  #writes: Write[] = []
  #bytes = 0
  #messages = 0

  constructor(directory: string, file: string, old: OldTables, tables: Tables) {
    this.#old = old
    const metrics = new Metrics().commits
    const turns = new CommitTurns()
    this.#disk = new Disk({
      directory,
      file,
      tables,
      turns,
      metrics,
      log: silentLogger,
      relief: () => [],
      onCommitted() {},
    })
    this.#disk.closing() // a disk that is full is told, not waited for
  }

  /** The disk has refused the last of it. */
  get refuses(): boolean {
    return this.#disk.refuses
  }

  async run(): Promise<Upgraded> {
    const now = Date.now()
    this.#put({ table: 'facts', key: clockKey, value: writeClock(clockKey, { wall: now, time: now }) })
    let sessions = 0
    for (const { key: number, value: record } of this.#old.sessions.getRange()) {
      await this.#session(number, record)
      sessions++
    }
    let retained = 0
    for (const { value } of this.#old.retained.getRange()) {
      const [message] = readMessage(new Uint8Array(value), 0)
      const key = hashOf(message.topic)
      this.#put({ table: 'retained', key, value: writeRetained(key, message) })
      retained++
      await this.#flushIfLarge()
    }
    for (const { value } of this.#old.wills.getRange()) {
      const key = hashOf(value.clientId)
      const { clientId, will, dueAt } = value
      this.#put({ table: 'wills', key, value: writeWill(key, { clientId, will, dueAt: dueAt ?? undefined }) })
      await this.#flushIfLarge()
    }
    await this.#flush()
    return { sessions, messages: this.#messages, retained }
  }

  async #session(number: SessionNumber, { clientId, expirySeconds, expiresAt, group }: SessionRecord): Promise<void> {
    const key = sessionKey(number)
    const own = { start: [number] as never, end: [number + 1] as never }
    const record = { clientId, expirySeconds, expiresAt: expiresAt ?? undefined, isGroup: group === true }
    this.#put({ table: 'sessions', key, value: writeSession(key, record) })
    for (const { value } of this.#old.subscriptions.getRange(own)) {
      const at = subscriptionKey(number, value.filter)
      const subscription = { ...value, owed: value.owed === true }
      this.#put({ table: 'subscriptions', key: at, value: writeSubscription(at, subscription) })
    }
    for (const { key: at, value } of this.#old.received.getRange(own)) {
      const page = receivedKey(number, at[1])
      this.#put({ table: 'received', key: page, value: writePage(page, value) })
    }
    const written = this.#old.cursors.get(number)
    if (!written) return
    const cursor = readCursor(written)
    const held = await this.#shares(number, cursor)
    const isOpen = expiresAt === null || cursor.mayHaveSentMore
    const value = writeCursor(key, { ...cursor, ...held, maxInflight: isOpen ? windowOfFormat1 : 0 })
    this.#put({ table: 'cursors', key, value })
    await this.#flushIfLarge()
  }

  /** Every share of format 1 becomes one or more of today's, without what is done. */
  async #shares(session: SessionNumber, cursor: Cursor): Promise<{ messages: number; bytes: number }> {
    const held = { messages: 0, bytes: 0 }
    const range = {
      start: [session, 0] as [number, number],
      end: [session, Number.MAX_SAFE_INTEGER] as [number, number],
    }
    for (const { key, value } of this.#old.shares.getRange(range)) {
      const first = value.readUIntBE(0, 6)
      const batch = this.#old.batches.get(key[1])
      const entries = batch ? (readBatch(new Uint8Array(batch)).get(session) ?? []) : []
      let builder: ShareBuilder | undefined
      let charged = 0
      for (const [at, entry] of entries.entries()) {
        if (isDone(cursor, first + at)) continue
        if (builder?.isFull) builder = this.#endShare(builder, first + at, charged)
        if (!builder) {
          builder = new ShareBuilder(session, first + at, new Uint8Array(1024))
          charged = 0
        }
        builder.add(first + at, entry)
        charged += entry.message.heldBytes
        held.messages++
        held.bytes += entry.message.heldBytes
      }
      if (builder) this.#endShare(builder, first + entries.length, charged)
      await this.#flushIfLarge()
    }
    this.#messages += held.messages
    return held
  }

  #endShare(builder: ShareBuilder, end: number, charged: number): undefined {
    const { session, first, due } = builder
    const value = builder.finish(end - first, charged, noPlace, [])
    this.#put({ table: 'shares', key: shareKey(session, first), value })
    if (due === 0) return
    const key = dueKey(due, session, first)
    this.#put({ table: 'due', key, value: writeCount('due', key, 0) })
  }

  #put(write: Write): void {
    this.#writes.push(write)
    this.#bytes += write.key.length + (write.value?.length ?? 0)
  }

  async #flushIfLarge(): Promise<void> {
    if (this.#bytes > bytesAtOnce) await this.#flush()
  }

  async #flush(): Promise<void> {
    await this.#disk.carryOut(this.#writes)
    this.#writes = []
    this.#bytes = 0
    await nextTurn()
  }
}

function isDone({ head, next, handshakes }: Cursor, number: number): boolean {
  return number < head || (number < next && handshakes[number - head] === 0)
}

const noPlace = (): never => {
  throw new Error('no body is shared here')
}
