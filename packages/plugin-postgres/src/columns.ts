import type { OutletMessage } from '@godwit/broker/plugin'

/** What a column may have of a message: its type in the database, and its value. */
interface Source {
  readonly type: string
  readonly of: (message: OutletMessage) => unknown
}

const table = {
  /** By which each message is stored once. */
  id: { type: 'text', of: ({ id }) => id },
  receivedAt: { type: 'timestamptz', of: ({ receivedAt }) => new Date(receivedAt) },
  topic: { type: 'text', of: ({ topic }) => topic },
  /** Bytes as they came. */
  payload: { type: 'bytea', of: ({ payload }) => payload },
  /** The payload as text; what PostgreSQL cannot take as text is refused. */
  text: { type: 'text', of: (message) => message.text() },
  /** The payload as JSON; what is none is refused. */
  json: { type: 'jsonb', of: (message) => message.text() },
  qos: { type: 'smallint', of: ({ qos }) => qos },
  retain: { type: 'boolean', of: ({ retain }) => retain },
  /** The Client Identifier of the publisher; empty for the broker itself. */
  publisher: { type: 'text', of: ({ publisher }) => publisher },
  contentType: { type: 'text', of: ({ properties }) => properties?.contentType ?? null },
  /** User properties, a list of pairs. */
  userProperties: { type: 'jsonb', of: ({ properties }) => JSON.stringify(properties?.userProperties ?? []) },
} as const satisfies Record<string, Source>

type SourceName = keyof typeof table

export const sources = Object.keys(table) as [SourceName, ...SourceName[]]

export const sourceOf = (name: SourceName): Source => table[name]
