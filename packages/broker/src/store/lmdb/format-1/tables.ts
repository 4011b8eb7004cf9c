import type { Will } from '@godwit/protocol'
import { type Database, open, type RootDatabase } from 'lmdb'
import type { StoredGrant } from '../../store.js'
import type { SessionNumber } from '../keys.js'

/** A session's own record. */
export interface SessionRecord {
  readonly clientId: string
  readonly expirySeconds: number
  /** Epoch ms; infinite = never; `null`: a connection is using it. */
  readonly expiresAt: number | null
  /** It is a shared group's, and the name is its filter. */
  readonly group?: true
}

export interface SubscriptionRecord extends StoredGrant {
  readonly filter: string
  /** Not all that is retained has been sent for it. */
  readonly owed?: true
}

export interface WillRecord {
  readonly clientId: string
  readonly will: Will
  /** Epoch ms; `null`: its connection is open. */
  readonly dueAt: number | null
}

/** The tables of one partition, all in one file and one transaction. */
export interface Tables {
  readonly root: RootDatabase<unknown, string>
  /** Commit → batch of messages. */
  readonly batches: Database<Buffer, number>
  /** [session, commit] → that session's share of the batch. */
  readonly shares: Database<Buffer, [SessionNumber, number]>
  readonly sessions: Database<SessionRecord, SessionNumber>
  /** Session → where its deliveries stand. */
  readonly cursors: Database<Buffer, SessionNumber>
  /** [session, hash of the filter]. */
  readonly subscriptions: Database<SubscriptionRecord, [SessionNumber, string]>
  /** [session, page] → bits of received QoS 2 ids. */
  readonly received: Database<Buffer, [SessionNumber, number]>
  /** Sessions that have ended and whose shares are still to be cleared away. */
  readonly ended: Database<boolean, SessionNumber>
  /** Hash of the topic → message. */
  readonly retained: Database<Buffer, string>
  /** Hash of the Client Identifier → will of its open connection. */
  readonly wills: Database<WillRecord, string>
}

/** Opens the tables of a file of format 1. */
export function openTables(file: string): Tables {
  const root = open<unknown, string>({
    path: file,
    noSubdir: true,
    maxDbs: 16,
    compression: false,
    eventTurnBatching: false,
    readOnly: true,
  })
  const binary = { encoding: 'binary' } as const
  return {
    root,
    batches: root.openDB('batches', binary),
    shares: root.openDB('shares', binary),
    sessions: root.openDB('sessions', {}),
    cursors: root.openDB('cursors', binary),
    subscriptions: root.openDB('subscriptions', {}),
    received: root.openDB('received', binary),
    ended: root.openDB('ended', {}),
    retained: root.openDB('retained', binary),
    wills: root.openDB('wills', {}),
  }
}
