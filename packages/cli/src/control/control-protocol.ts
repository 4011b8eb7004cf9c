import type { ClusterView, PluginState } from '@godwit/admin/parts'
import type { BridgeView } from '@godwit/bridge'
import { z } from 'zod'

/** What may be asked over the control socket: one line of JSON. The answer is one line or more. */
export type ControlRequest =
  /** Answered by a {@link StatusAnswer}. */
  | { readonly request: 'status' }
  /** Answered by a {@link ReloadAnswer} or a {@link Refusal}. */
  | { readonly request: 'reload' }
  /** {@link TraceBegun}, then trace events and {@link Missed} until the connection closes. One of both at least. */
  | { readonly request: 'trace'; readonly client?: string | undefined; readonly topic?: string | undefined }
  /** A snapshot a second until the connection closes. */
  | { readonly request: 'top' }
  /** {@link Listed} again and again, then {@link ListEnd}. */
  | ({ readonly request: 'list' } & ListRequest)
  /** Of a node of a cluster: what it is, or something is done to it; answered by {@link ClusterAnswer}. */
  | {
      readonly request: 'cluster'
      readonly deed: ClusterDeed
      /** Of recover: the node whose copy all are to have. */
      readonly from?: string | undefined
      /** The words of the {@link ClusterAnswer.plan} that was told before. Left out: nothing is done, and the plan is told. */
      readonly confirm?: string | undefined
    }
  /** Answered by {@link KickAnswer}. `endSession`: its session is ended too, or alone where nobody is connected. */
  | { readonly request: 'kick'; readonly client: string; readonly endSession?: boolean | undefined }
  /** Deletes the retained messages that match; answered by {@link DeleteAnswer}. */
  | { readonly request: 'delete-retained'; readonly filter: string }
  /** Answered by {@link BridgesAnswer}. */
  | { readonly request: 'bridges' }
  /** Answered by {@link PluginsAnswer}. */
  | { readonly request: 'plugins' }
  /** Answered by {@link UsersAnswer}. */
  | { readonly request: 'users' }
  /** Adds a user, or gives one another password; answered by {@link UserAnswer}. */
  | { readonly request: 'set-user'; readonly user: string; readonly password: string }
  /** Removes a user and disconnects who came as that; answered by {@link UserAnswer}. */
  | { readonly request: 'remove-user'; readonly user: string }
  /** Answered by {@link BackupAnswer} when it is made. Whoever closes the connection calls it off. */
  | { readonly request: 'backup' }
  /** Answered by {@link ConsoleAnswer}. */
  | { readonly request: 'console' }

/** What is listed, and which of it. */
export interface ListRequest {
  readonly what: 'clients' | 'sessions' | 'subscriptions' | 'retained'
  /** Of clients and sessions: those whose Client Identifier has this in it, in any case. */
  readonly search?: string | undefined
  /** Of clients: those with exactly this user name. */
  readonly user?: string | undefined
  /** Of subscriptions: those of exactly this client. */
  readonly client?: string | undefined
  /** Of retained messages: those that match. Of subscriptions: those with exactly this filter. */
  readonly filter?: string | undefined
}

const listRequest = z.strictObject({
  request: z.literal('list'),
  what: z.enum(['clients', 'sessions', 'subscriptions', 'retained']),
  search: z.string().optional(),
  user: z.string().optional(),
  client: z.string().optional(),
  filter: z.string().optional(),
})

/** What a person does to a node of a cluster. */
const clusterDeeds = ['status', 'handover', 'claim', 'freeze', 'thaw', 'snapshot', 'recover'] as const
export type ClusterDeed = (typeof clusterDeeds)[number]
export type ClusterRequest = Extract<ControlRequest, { readonly request: 'cluster' }>

export const controlRequest: z.ZodType<ControlRequest> = z.discriminatedUnion('request', [
  z.strictObject({ request: z.literal('status') }),
  z.strictObject({ request: z.literal('reload') }),
  z.strictObject({ request: z.literal('trace'), client: z.string().optional(), topic: z.string().optional() }),
  z.strictObject({ request: z.literal('top') }),
  listRequest,
  z.strictObject({ request: z.literal('kick'), client: z.string(), endSession: z.boolean().optional() }),
  z.strictObject({ request: z.literal('delete-retained'), filter: z.string() }),
  z.strictObject({ request: z.literal('bridges') }),
  z.strictObject({ request: z.literal('plugins') }),
  z.strictObject({ request: z.literal('users') }),
  z.strictObject({ request: z.literal('set-user'), user: z.string(), password: z.string() }),
  z.strictObject({ request: z.literal('remove-user'), user: z.string() }),
  z.strictObject({ request: z.literal('backup') }),
  z.strictObject({ request: z.literal('console') }),
  z.strictObject({
    request: z.literal('cluster'),
    deed: z.enum(clusterDeeds),
    from: z.string().optional(),
    confirm: z.string().optional(),
  }),
])

/** It was not done; in words for people. The last line. */
export interface Refusal {
  readonly error: string
}

export interface StatusAnswer {
  readonly version: string
  readonly pid: number
  readonly uptimeSeconds: number
  /** In words, as `127.0.0.1:1883`. */
  readonly listeners: readonly string[]
}

export interface BridgesAnswer {
  /** In the order of their names. */
  readonly bridges: readonly BridgeView[]
}

export interface PluginsAnswer {
  /** In the order in which they are asked. */
  readonly plugins: readonly PluginState[]
}

export interface ReloadAnswer {
  readonly ok: true
  /** What was read again, in words. */
  readonly reloaded: readonly string[]
  /** Settings that have changed since the start and hold from the next start on, by name. */
  readonly needsRestart: readonly string[]
}

/** From here on no packet is missed without being counted. */
export interface TraceBegun {
  readonly tracing: true
}

/** Packets that are not in the trace, because they came faster than they were taken. */
export interface Missed {
  readonly missed: number
}

/** Some of what is listed: views of the broker's public object, without payloads. */
export interface Listed<Item extends object = object> {
  readonly items: readonly Item[]
}

/** There is no more; without it, the broker has ended in between. */
export interface ListEnd {
  readonly end: true
}

export interface KickAnswer {
  /** Whether the client was connected. */
  readonly disconnected: boolean
  /** Whether there was a session that has been ended. */
  readonly ended: boolean
}

export interface DeleteAnswer {
  /** So many messages. */
  readonly deleted: number
}

export interface UsersAnswer {
  /** In the order of the file. */
  readonly users: readonly string[]
}

export interface UserAnswer {
  readonly done: 'added' | 'changed' | 'removed'
  /** Clients that were disconnected. */
  readonly disconnected: number
}

export interface ConsoleAnswer {
  /** Logs a browser in, once, within five minutes. */
  readonly link: string
}

export interface BackupAnswer {
  /** Where it is, on the machine of the broker. */
  readonly path: string
  readonly bytes: number
}

/** A node of a cluster, and the others as they tell of themselves. */
export interface ClusterAnswer extends ClusterView {
  /** What recover would do: it was not confirmed. */
  readonly plan?: { readonly lines: readonly string[]; readonly words: string }
}
