import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Message } from '../../message.js'
import type { Recovered, RecoveredGroup, RecoveredSession, RecoveredWill } from '../store.js'
import { clockKey, readU32, readU48, type SessionNumber, sessionKey } from './keys.js'
import * as records from './records.js'
import { type Cursor, readCursor } from './records.js'
import type { SetAside } from './set-aside.js'
import type { StoredSession } from './stored-session.js'
import type { StoredSessions } from './stored-sessions.js'
import { endOf, type Table, type TableName, type Tables } from './tables.js'

/** Records read before others have their turn. */
const recordsAtOnce = 500

/** What an earlier process left. */
export interface Found {
  readonly recovered: Recovered
  /** Sessions that have ended and are still to be cleared away. */
  readonly ended: readonly SessionNumber[]
}

/** Where the deliveries of a session stand whose record of that is lost: it may have been sent whatever fits a window. */
const unknownCursor = { handshakes: new Uint8Array(0), maxInflight: 65_535, mayHaveSentMore: true }
const nothingSent: Cursor = {
  head: 1,
  next: 1,
  tail: 1,
  bytes: 0,
  messages: 0,
  handshakes: new Uint8Array(0),
  maxInflight: 0,
  mayHaveSentMore: false,
}

/** Reads all that is there but messages in queues, some records a turn. What cannot be read is set aside. */
export class Recovery {
  readonly #tables: Tables
  readonly #setAside: SetAside
  readonly #sessions: StoredSessions

  /** @param sessions those that are found are taken up there. */
  constructor(tables: Tables, setAside: SetAside, sessions: StoredSessions) {
    this.#tables = tables
    this.#setAside = setAside
    this.#sessions = sessions
  }

  async recover(): Promise<Found> {
    const sessions: RecoveredSession[] = []
    const groups: RecoveredGroup[] = []
    const ended = [...this.#tables.ended.getKeys()].map((key) => readU32(key, 0))
    for (const number of ended) this.#sessions.passOver(number)
    let queued = 0
    for await (const [key, record] of this.#all('sessions', records.readSession)) {
      const number = readU32(key, 0)
      const { clientId, isGroup } = record
      const cursor = this.#cursor(number, clientId)
      const stored = this.#sessions.takeUp({ number, name: clientId, isGroup }, cursor)
      if (isGroup) groups.push({ sharedFilter: clientId, stored, outgoing: cursor })
      else sessions.push(this.#session(number, record, cursor, stored))
      queued += cursor.messages
    }
    const retained: Message[] = []
    for await (const [, message] of this.#all('retained', records.readRetained)) retained.push(message)
    const wills: RecoveredWill[] = []
    for await (const [, will] of this.#all('wills', records.readWill)) wills.push(will)
    const clock = this.#tables.facts.get(clockKey)
    return {
      recovered: { sessions, groups, retained, wills, queued, clock: clock && records.readClock(clockKey, clock) },
      ended,
    }
  }

  async *#all<T>(
    table: TableName,
    read: (key: Buffer, value: Buffer) => T | undefined,
  ): AsyncGenerator<readonly [key: Buffer, record: T]> {
    let after: Buffer | undefined
    for (;;) {
      const page = [...recordsAfter(this.#tables[table], after)]
      for (const { key, value } of page) {
        const record = this.#readable(table, key, value, read)
        if (record !== undefined) yield [key, record]
      }
      if (page.length < recordsAtOnce) return
      after = page.at(-1)!.key
      await nextTurn()
    }
  }

  #readable<T>(
    table: TableName,
    key: Buffer,
    value: Buffer,
    read: (key: Buffer, value: Buffer) => T | undefined,
  ): T | undefined {
    try {
      const record = read(key, value)
      if (record !== undefined) return record
      throw new Error('its checksum is wrong')
    } catch (error) {
      this.#setAside.keep(table, key, error)
      this.#sessions.write({ table, key, value: undefined })
      return undefined
    }
  }

  #own<T>(
    table: TableName,
    number: SessionNumber,
    read: (key: Buffer, value: Buffer) => T | undefined,
    clientId: string,
  ): T[] {
    const prefix = sessionKey(number)
    const found: T[] = []
    for (const { key, value } of this.#tables[table].getRange({ start: prefix, end: endOf(prefix) })) {
      try {
        const record = read(key, value)
        if (record === undefined) throw new Error('its checksum is wrong')
        found.push(record)
      } catch (error) {
        this.#setAside.keep(table, key, error, { clientId })
        this.#sessions.write({ table, key, value: undefined })
      }
    }
    return found
  }

  #cursor(number: SessionNumber, clientId: string): Cursor {
    const key = sessionKey(number)
    const value = this.#tables.cursors.get(key)
    const cursor = value && readCursor(key, value)
    if (cursor) return cursor
    if (value) this.#setAside.keep('cursors', key, new Error('its checksum is wrong'), { clientId })
    return this.#guessed(number) // of a session that has no shares, nothing was sent
  }

  /** Where the deliveries of a session stand, from the shares it has. */
  #guessed(number: SessionNumber): Cursor {
    const prefix = sessionKey(number)
    let [head, tail, messages, bytes] = [0, 1, 0, 0]
    for (const { key, value } of this.#tables.shares.getRange({ start: prefix, end: endOf(prefix) })) {
      const first = readU48(key, 4)
      const trailerAt = value.length - 26
      if (trailerAt < 0) continue
      if (head === 0) head = first
      tail = first + readU32(value, trailerAt + 14)
      messages += readU32(value, trailerAt + 18)
      bytes += readU48(value, trailerAt + 8)
    }
    if (head === 0) return nothingSent
    return { ...unknownCursor, head, next: head, tail, messages, bytes }
  }

  #session(
    number: SessionNumber,
    { clientId, expirySeconds, expiresAt }: records.SessionRecord,
    outgoing: Cursor,
    stored: StoredSession,
  ): RecoveredSession {
    const subscriptions = this.#own('subscriptions', number, records.readSubscription, clientId)
    const received = this.#own('received', number, (key, value) => pageWithBits(key, value), clientId)
    return {
      clientId,
      stored,
      subscriptions: subscriptions.map(({ filter, owed: _, ...grant }) => [filter, grant] as const),
      owed: subscriptions.filter(({ owed }) => owed).map(({ filter }) => filter),
      received,
      outgoing,
      expirySeconds,
      expiresAt,
    }
  }
}

function pageWithBits(key: Buffer, value: Buffer): readonly [page: number, bits: Uint8Array] | undefined {
  const bits = records.readPage(key, value)
  return bits && [key[4]!, bits]
}

function recordsAfter(table: Table, after: Buffer | undefined): Iterable<{ key: Buffer; value: Buffer }> {
  if (!after) return table.getRange({ limit: recordsAtOnce })
  return table.getRange({ start: Buffer.concat([after, Buffer.of(0)]), limit: recordsAtOnce })
}
