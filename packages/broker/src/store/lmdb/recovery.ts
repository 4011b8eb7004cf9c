import type { Message } from '../../message.js'
import type { Recovered, RecoveredGroup, RecoveredSession, RecoveredWill } from '../store.js'
import type { SessionNumber } from './batch.js'
import { type Cursor, readCursor } from './cursor.js'
import { readMessage } from './message-record.js'
import type { Held } from './stored-queue.js'
import type { Identity, StoredSession } from './stored-session.js'
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
export function recover(tables: Tables, add: (identity: Identity, held: Held) => StoredSession): Found {
  const sessions: RecoveredSession[] = []
  const groups: RecoveredGroup[] = []
  const ended = [...tables.ended.getKeys()]
  let newest = ended.reduce((most, number) => Math.max(most, number), 0)
  let queued = 0
  for (const { key: number, value: record } of tables.sessions.getRange()) {
    const written = tables.cursors.get(number)
    const cursor = written ? readCursor(written) : nothingSent
    const { clientId: name, group: isGroup = false } = record
    const held = { messages: unfinished(cursor), bytes: cursor.bytes }
    const stored = add({ number, name, isGroup }, held)
    if (isGroup) groups.push({ sharedFilter: name, stored, outgoing: cursor })
    else sessions.push(recoverSession(tables, number, record, cursor, stored))
    queued += held.messages
    newest = Math.max(newest, number)
  }
  return {
    recovered: { sessions, groups, retained: readRetained(tables), wills: readWills(tables), queued },
    nextSession: newest + 1,
    ended,
  }
}

/** Messages not sent, and those whose handshake is under way: 0 stands for one that is over. */
function unfinished({ next, tail, handshakes }: Cursor): number {
  return tail - next + handshakes.filter((state) => state !== 0).length
}

function readRetained(tables: Tables): readonly Message[] {
  return Array.from(tables.retained.getRange(), ({ value }) => readMessage(new Uint8Array(value), 0)[0])
}

/** Binary values are copied: what lmdb decodes may lie in a buffer that it uses again. */
function readWills(tables: Tables): readonly RecoveredWill[] {
  return Array.from(tables.wills.getRange(), ({ value: { clientId, will, dueAt } }) => ({
    clientId,
    will: structuredClone(will),
    dueAt: dueAt ?? undefined,
  }))
}

function recoverSession(
  tables: Tables,
  number: SessionNumber,
  { clientId, expirySeconds, expiresAt }: SessionRecord,
  outgoing: Cursor,
  stored: StoredSession,
): RecoveredSession {
  const own = { start: [number] as never, end: [number + 1] as never }
  const subscriptions = Array.from(tables.subscriptions.getRange(own), ({ value }) => value)
  return {
    clientId,
    stored,
    subscriptions: subscriptions.map(({ filter, owed: _, ...grant }) => [filter, grant] as const),
    owed: subscriptions.filter(({ owed }) => owed).map(({ filter }) => filter),
    received: Array.from(tables.received.getRange(own), ({ key, value }) => [key[1], new Uint8Array(value)] as const),
    outgoing,
    expirySeconds,
    expiresAt: expiresAt ?? undefined,
  }
}
