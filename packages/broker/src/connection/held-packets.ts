import type { Packet } from '@godwit/protocol'
import type { Account } from '../accounts.js'
import { type Commit, isSafe, noCommit } from '../commit.js'
import type { Owner } from '../faults.js'
import type { Reply } from '../handlers/context.js'
import type { Commits } from './commits.js'

/** Packets of one kind keep their order: those of one type, where PUBLISH at QoS 0 is a kind of its own. */
type Kind = Packet['type'] | 'publish-qos0'

/** A packet that waits for a commit. */
export interface HeldPacket {
  readonly commit: Commit
  readonly kind: Kind
  /** The reply; for a PUBLISH, the function that sends it. */
  readonly what: Reply | (() => void)
}

/** What a packet takes while it is held, roughly. */
const heldBytes = 256

/**
 * Packets to one client that are held until their commit is flushed. A packet that needs no commit does not wait behind them, unless it
 * must keep its order with one of them: acknowledgements of one kind [MQTT-4.6.0-2] [MQTT-4.6.0-3], and messages at QoS 0 [MQTT-4.6.0-6].
 */
export class HeldPackets {
  readonly #commits: Commits
  readonly #waiting: Account
  readonly #onReleased: (due: readonly HeldPacket[]) => void
  readonly #owner: Owner
  #held: HeldPacket[] = []
  /** The kinds of all packets that are held. */
  readonly #kinds = new Set<Kind>()
  /** The kind of the packet that was held last: asked first, since most packets are of the same kind as the one before them. */
  #lastKind: Kind | '' = ''
  /** The newest commit that a packet is held for. */
  #awaited: Commit = noCommit

  /** @param onReleased sends packets whose commit is flushed; they are given in their order. */
  constructor(commits: Commits, waiting: Account, onReleased: (due: readonly HeldPacket[]) => void, owner: Owner) {
    this.#commits = commits
    this.#waiting = waiting
    this.#onReleased = onReleased
    this.#owner = owner
  }

  /** Memory that the held packets take, roughly. */
  get bytes(): number {
    return this.#held.length * heldBytes
  }

  /** Once this commit is flushed no packet is held any more. */
  get awaited(): Commit {
    return this.#held.length > 0 ? this.#awaited : noCommit
  }

  /** Whether one of this kind must wait because an earlier one does; behind CONNACK all must [MQTT-3.2.0-1]. */
  blocks(kind: Kind): boolean {
    return this.#held.length > 0 && (kind === this.#lastKind || this.#kinds.has(kind) || this.#kinds.has('connack'))
  }

  hold(commit: Commit, kind: Kind, what: HeldPacket['what']): void {
    this.#keep({ commit, kind, what })
    if (isSafe(commit, this.#awaited)) return // the callback for the newest commit releases this one too
    this.#awaited = commit
    this.#commits.after(commit, () => this.#release(), this.#owner)
  }

  clear(): void {
    this.#waiting.add(-this.bytes)
    this.#held = []
    this.#kinds.clear()
    this.#lastKind = ''
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
