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

export const controlRequest: z.ZodType<ControlRequest> = z.discriminatedUnion('request', [
  z.strictObject({ request: z.literal('status') }),
  z.strictObject({ request: z.literal('reload') }),
  z.strictObject({ request: z.literal('trace'), client: z.string().optional(), topic: z.string().optional() }),
  z.strictObject({ request: z.literal('top') }),
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
