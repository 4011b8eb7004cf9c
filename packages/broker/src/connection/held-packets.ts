import type { Packet } from '@godwit/protocol'
import type { Account } from '../accounts.js'
import { type Commit, isSafe, noCommit } from '../commit.js'
import type { Owner } from '../faults.js'
import type { Reply } from '../handlers/context.js'
import type { Commits } from './commits.js'

/** What keeps its order among itself: packets of one type, and of PUBLISH those at QoS 0. */
type Kind = Packet['type'] | 'publish-qos0'

/** A packet that waits for a commit. */
export interface HeldPacket {
  readonly commit: Commit
  readonly kind: Kind
  /** The reply, or how to send what is none. */
  readonly what: Reply | (() => void)
}

/** What a packet takes while it is held, roughly. */
const heldBytes = 256

/**
 * What one client must not see before it is safe. Nothing that needs no commit waits behind it, except what must keep
 * its order with it: acknowledgements of one kind [MQTT-4.6.0-2] [MQTT-4.6.0-3], and messages at QoS 0 [MQTT-4.6.0-6].
 */
export class HeldPackets {
  readonly #commits: Commits
  readonly #waiting: Account
  readonly #onReleased: (due: readonly HeldPacket[]) => void
  readonly #owner: Owner
  #held: HeldPacket[] = []
  /** Of what is held. */
  readonly #kinds = new Set<Kind>()
  /** The kind of the last: most are like the one before them. */
  #lastKind: Kind | undefined
  /** The newest commit that will release something. */
  #awaited: Commit = noCommit

  /** @param onReleased given what a commit was waited for, in order: to be sent. */
  constructor(commits: Commits, waiting: Account, onReleased: (due: readonly HeldPacket[]) => void, owner: Owner) {
    this.#commits = commits
    this.#waiting = waiting
    this.#onReleased = onReleased
    this.#owner = owner
  }

  /** What it holds, in memory. */
  get bytes(): number {
    return this.#held.length * heldBytes
  }

  /** The commit after which nothing is held any more. */
  get awaited(): Commit {
    return this.#held.length > 0 ? this.#awaited : noCommit
  }

  /** Whether one of this kind must wait because an earlier one does; behind CONNACK all must [MQTT-3.2.0-1]. */
  blocks(kind: Kind): boolean {
    return this.#held.length > 0 && (kind === this.#lastKind || this.#kinds.has(kind) || this.#kinds.has('connack'))
  }

  hold(commit: Commit, kind: Kind, what: HeldPacket['what']): void {
    this.#keep({ commit, kind, what })
    if (isSafe(commit, this.#awaited)) return // who waits for the newest waits for this one
    this.#awaited = commit
    this.#commits.after(commit, () => this.#release(), this.#owner)
  }

  clear(): void {
    this.#waiting.add(-this.bytes)
    this.#held = []
    this.#kinds.clear()
    this.#lastKind = undefined
  }

  /** The store has flushed more commits: what waited for them goes out, in order. */
  #release(): void {
    const { flushed } = this.#commits
    const held = this.#held
    this.clear()
    const due: HeldPacket[] = []
    for (const one of held) {
      if (!isSafe(one.commit, flushed) || this.blocks(one.kind)) this.#keep(one)
      else due.push(one)
    }
    this.#onReleased(due) // only now: what these send in turn must line up behind what is still held
  }

  #keep(one: HeldPacket): void {
    this.#held.push(one)
    this.#waiting.add(heldBytes)
    if (one.kind === this.#lastKind) return
    this.#lastKind = one.kind
    this.#kinds.add(one.kind)
  }
}
