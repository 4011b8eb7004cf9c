import type { QoS } from '@godwit/protocol'
import { Message } from '../../message.js'
import type { Recovered, RecoveredSession } from '../store.js'
import type { SessionNumber } from './batch.js'
import { type Cursor, readCursor } from './cursor.js'
import type { StoredSession } from './stored-session.js'
import type { SessionRecord, Tables } from './tables.js'

/** What was found, and what the store must go on with. */
export interface Found {
  readonly recovered: Recovered
  /** Sessions are never numbered twice. */
  readonly nextSession: SessionNumber
  /** Ended sessions of which something is left. */
  readonly ended: readonly SessionNumber[]
}

const nothingSent: Cursor = {
  head: 1,
  next: 1,
  tail: 1,
  bytes: 0,
  handshakes: new Uint8Array(0),
  mayHaveSentMore: false,
}

/** Reads back what an earlier process left. Takes time by sessions and retained topics, not by queued messages. */
export function recover(
  tables: Tables,
  add: (number: SessionNumber, clientId: string, queuedBytes: number) => StoredSession,
): Found {
  const sessions: RecoveredSession[] = []
  const ended = [...tables.ended.getKeys()]
  let newest = ended.reduce((most, number) => Math.max(most, number), 0)
  let queued = 0
  for (const { key: number, value: record } of tables.sessions.getRange()) {
    const written = tables.cursors.get(number)
    const cursor = written ? readCursor(written) : nothingSent
    sessions.push(recoverSession(tables, number, record, cursor, add(number, record.clientId, cursor.bytes)))
    queued += cursor.tail - cursor.head
    newest = Math.max(newest, number)
  }
  return {
    recovered: { sessions, retained: readRetained(tables), wills: readWills(tables), queued },
    nextSession: newest + 1,
    ended,
  }
}

// Payloads are copied: what lmdb decodes may lie in a buffer that it uses again.

function readRetained(tables: Tables): readonly Message[] {
  return Array.from(tables.retained.getRange(), ({ value: { topic, payload, qos } }) =>
    Message.of(topic, new Uint8Array(payload), qos as QoS, true),
  )
}

function readWills(tables: Tables): Recovered['wills'] {
  return Array.from(tables.wills.getRange(), ({ value: { clientId, topic, payload, qos, retain } }) => ({
    clientId,
    will: { topic, payload: new Uint8Array(payload), qos: qos as QoS, retain },
  }))
}

function recoverSession(
  tables: Tables,
  number: SessionNumber,
  { clientId, expiresAt }: SessionRecord,
  outgoing: Cursor,
  stored: StoredSession,
): RecoveredSession {
  const own = { start: [number] as never, end: [number + 1] as never }
  return {
    clientId,
    stored,
    subscriptions: Array.from(
      tables.subscriptions.getRange(own),
      ({ value }) => [value.filter, value.qos as QoS] as const,
    ),
    received: Array.from(tables.received.getRange(own), ({ key, value }) => [key[1], new Uint8Array(value)] as const),
    outgoing,
    expiresAt: expiresAt ?? undefined,
  }
}
