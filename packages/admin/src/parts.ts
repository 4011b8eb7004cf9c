import type { LogFields, LogLevel } from '@godwit/broker'
import type { AccessAction, AccessRule } from '@godwit/broker/access'
import type { OutletView } from '@godwit/broker/plugin'

/**
 * What the HTTP API shows and edits that is not the broker's own: users, access rules, backups, log, configuration, the cluster that
 * it is part of, bridges, plugins. Whoever mounts it gives what there is; operations of a part that was not given answer 501.
 *
 * A part that cannot do what is asked throws one of the errors below; its message is shown to people, so it names no secret.
 * Anything else it throws is a failure of the server: logged, and answered 500 without its words.
 */
export interface Parts {
  readonly users?: Users | undefined
  readonly rules?: Rules | undefined
  readonly access?: AccessExplainer | undefined
  readonly backups?: Backups | undefined
  readonly log?: Log | undefined
  readonly configuration?: Configuration | undefined
  readonly cluster?: Cluster | undefined
  readonly bridges?: Bridges | undefined
  readonly plugins?: Plugins | undefined
}

/** What was read is no longer what is there: an editor, or another page, was quicker. Answered 409 (`edit-conflict`). */
export class EditConflict extends Error {
  override readonly name = 'EditConflict'
  /** Of what is there now. */
  readonly etag: string

  constructor(etag: string, message = 'it has been changed meanwhile; read it again, and edit that') {
    super(message)
    this.etag = etag
  }
}

/** It cannot be edited from here: the message says why, and what to do instead. Answered 409 (`not-editable`). */
export class NotEditable extends Error {
  override readonly name = 'NotEditable'
}

/** There is no user, rule or backup of that name. Answered 404 (`not-found`). */
export class NotThere extends Error {
  override readonly name = 'NotThere'
}

/** A value that cannot be taken: a user name with a line end, a rule that is none. Answered 400 (`invalid-option`). */
export class Unacceptable extends Error {
  override readonly name = 'Unacceptable'
}

export interface EditOptions {
  /** As it was read. Where that is not what is there any more, nothing is changed ({@link EditConflict}). Default: whatever is there. */
  readonly etag?: string | undefined
}

/** Of what an edit has left: it is what the next edit has to name. */
export interface Edited {
  readonly etag: string
}

/** The users of a password file. A hash is never shown. */
export interface Users {
  /** In the order of the file. */
  list(): Promise<{ readonly etag: string; readonly users: readonly User[] }>
  /**
   * Adds a user, or gives one another password; it is in force when this resolves.
   * @throws Unacceptable, EditConflict, NotEditable
   */
  set(username: string, password: string, options?: EditOptions): Promise<Edited & { readonly created: boolean }>
  /**
   * Removes a user; it is in force when this resolves. The caller disconnects its clients ({@link disconnectUser}).
   * @throws NotThere, EditConflict, NotEditable
   */
  remove(username: string, options?: EditOptions): Promise<Edited>
}

export interface User {
  readonly username: string
}

/** An access rule as the configuration has it. */
export type Rule = Omit<AccessRule, 'where'>

/**
 * Access rules, of which the first that applies decides: a rule is named by its place in the list, from 0. What changes is in
 * force when the promise resolves. Where the file has an order of its own (mosquitto's acl_file), so has the list.
 */
export interface Rules {
  list(): Promise<{ readonly etag: string; readonly rules: readonly AccessRule[] }>
  /** All of them, by others. @throws Unacceptable, EditConflict, NotEditable */
  replace(rules: readonly Rule[], options?: EditOptions): Promise<Edited>
  /** @param options `at`: its place, 0 the first. Default: the last. @throws Unacceptable, EditConflict, NotEditable */
  add(
    rule: Rule,
    options?: EditOptions & { readonly at?: number | undefined },
  ): Promise<Edited & { readonly at: number }>
  /** Answers where it stands then. @throws NotThere, Unacceptable, EditConflict, NotEditable */
  change(at: number, rule: Rule, options?: EditOptions): Promise<Edited & { readonly at: number }>
  /** @throws NotThere, EditConflict, NotEditable */
  remove(at: number, options?: EditOptions): Promise<Edited>
}

/** Why somebody may do something, or not. */
export interface AccessExplainer {
  /** @throws Unacceptable */
  explain(question: AccessQuestion): Promise<AccessAnswer>
}

export interface AccessQuestion {
  readonly action: AccessAction
  /** The Topic Name; for `subscribe` the Topic Filter. */
  readonly topic: string
  /** Default: a client without a user name. */
  readonly username?: string | undefined
  /** Default: empty. */
  readonly clientId?: string | undefined
  /** Claims of its token, for rules with `${claim.NAME}`. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /** The listener it comes to, by name, where listeners have rules of their own. Default: the rules for all. */
  readonly listener?: string | undefined
}

export interface AccessAnswer {
  readonly allowed: boolean
  /** The rule that decides, with `where` it stands; left out: none does, and the answer is the default. */
  readonly rule?: AccessRule | undefined
  /** In words: why, where no rule says it. */
  readonly why?: string | undefined
}

/** Copies of the data below one folder. Names are the part's own: it takes those it has given, and nothing else. */
export interface Backups {
  /**
   * Makes one. @param signal ends it, and what is there of it is removed.
   * @throws NotEditable where there is no room, no folder, or one is being made.
   */
  create(signal: AbortSignal): Promise<Backup>
  /** The newest first. */
  list(): Promise<readonly Backup[]>
  /** To be downloaded: one archive. Whoever stops reading cancels the stream. @throws NotThere */
  open(name: string): Promise<{ readonly bytes: number; readonly stream: ReadableStream<Uint8Array> }>
  /** @throws NotThere, NotEditable */
  remove(name: string): Promise<void>
}

export interface Backup {
  readonly name: string
  readonly bytes: number
  /** ISO 8601. */
  readonly createdAt: string
}

/** The broker's log: {@link RecentLog} is one. */
export interface Log {
  /** The last lines, the oldest first. @param count at most so many. */
  last(count: number): readonly LogLine[]
  /** Calls with each new line, at once; the listener must be quick. @returns what stops it. */
  listen(listener: (line: LogLine) => void): () => void
}

export interface LogLine {
  /** Epoch ms. */
  readonly at: number
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

/** What the broker was configured with. */
export interface Configuration {
  /** Every setting in force; secrets are hidden. */
  effective(): Promise<readonly Setting[]>
  /** Whether a text would be a configuration: it is parsed and held against the schema, and nothing it names is read, loaded or asked. */
  check(text: string): Promise<{ readonly problems: readonly string[] }>
  /** Takes up the configuration as it is now, all of it or nothing: what, in words, and the settings that need a restart. @throws NotEditable in words, where what is there now is wrong. */
  reload(): Promise<{ readonly reloaded: readonly string[]; readonly needsRestart: readonly string[] }>
}

export interface Setting {
  /** As `limits.maxInflight` or `listeners[0].port`. */
  readonly name: string
  readonly value: string | number | boolean | null
  /** Where it comes from: a place in a file, a flag, a variable of the environment, `default`. */
  readonly origin: string
}

/** The node of a cluster that this broker is. */
export interface Cluster {
  /** What it knows of the cluster, as it knew last. */
  view(): ClusterView
  /** Another node takes over, in order; this resolves before. @throws NotEditable where this node is not the owner. */
  handOver(): Promise<void>
}

/** A cluster, as one of its nodes sees it. */
export interface ClusterView {
  /** Its name. */
  readonly cluster: string
  /** This node. */
  readonly node: string
  /** `owner`: it serves; `following`, `claiming`, `diverged`, `starting`, `closed`. */
  readonly role: string
  /** Counts owners. */
  readonly epoch: number
  /** The node that owns the log, as far as this one has read; null: none yet. */
  readonly owner: string | null
  /** It takes over no more by itself. */
  readonly frozen: boolean
  /** Why nothing is acknowledged now: the servers of the log do not answer, or the log is full; null: all is well. */
  readonly held: 'silent' | 'full' | null
  /** How long they have not answered this owner; 0: they do. */
  readonly silentSeconds: number
  /** What hinders it, in words. */
  readonly problem: string | null
  /** Of this node, since its start. */
  readonly counters: {
    readonly claims: number
    /** Times that another has taken over from it. */
    readonly fenced: number
    /** Times that its copy has parted from the log. */
    readonly diverged: number
    readonly framesWritten: number
    readonly bytesWritten: number
    readonly framesRead: number
    readonly bytesRead: number
  }
  readonly log: {
    /** The last frame there is, as far as is known. */
    readonly last: number
    readonly bytes: number
    /** It takes no more than this; null: no bound, or not known. */
    readonly most: number | null
  }
  /** All that have told of themselves, by name; this one too. */
  readonly nodes: readonly ClusterNodeView[]
  /** The newest first. */
  readonly snapshots: readonly { readonly frame: number; readonly bytes: number; readonly createdAt: string | null }[]
}

/** A node as it has told of itself. */
export interface ClusterNodeView {
  readonly node: string
  readonly role: string
  readonly epoch: number
  /** The last frame that is in its copy. */
  readonly applied: number
  /** How many frames it is behind the end of the log. */
  readonly behindFrames: number
  /** Their bytes, about: by the mean of the frames in the log. */
  readonly behindBytes: number
  readonly version: string
  /** Where clients of other nodes are taken to; null: nowhere. */
  readonly address: string | null
  /** The URL at which people find its console; null: it has not told. */
  readonly console: string | null
  /** It claims before others do. */
  readonly preferred: boolean
  readonly problem: string | null
  /** When it told, by its own clock. ISO 8601. */
  readonly toldAt: string
}

/** The bridges of this broker to others: those of `@godwit/bridge` are of this form. */
export interface Bridges {
  /** As they are now, by name. */
  readonly views: readonly BridgeState[]
}

export interface BridgeState {
  readonly name: string
  readonly connected: boolean
  /** Since when it is connected, or is not, in epoch ms. */
  readonly since: number
  /** The URL of the other broker, without user name and password; `undefined`: it is not connected. */
  readonly server: string | undefined
  /** 5 for MQTT 5.0, 4 for 3.1.1, 3 for 3.1. */
  readonly version: number | undefined
  /** Why it is not connected, in words; it goes on trying. */
  readonly problem: string | undefined
  /** Messages that wait to go out, or are on their way. */
  readonly queued: number
  /** Messages that the other broker has taken, and this one. */
  readonly out: number
  readonly in: number
  readonly connections: number
  /** How often the other broker had forgotten the session. */
  readonly lostSessions: number
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>
}

/** The plugins of this broker. */
export interface Plugins {
  /** As they are now, in the order in which they are asked. */
  readonly views: readonly PluginState[]
}

export interface PluginState {
  readonly name: string
  /** As the configuration names it. */
  readonly module: string
  /** When this run of it began, in epoch ms. */
  readonly since: number
  /** Whether it says who may come in. */
  readonly authenticates: boolean
  /** What it has counted, by its own names. */
  readonly counts: Readonly<Record<string, number>>
  /** Where it takes messages to. */
  readonly outlets: readonly OutletView[]
}
