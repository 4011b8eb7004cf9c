import type { Packet } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Reply } from '../handlers/context.js'
import type { Commits } from './commits.js'

/** A packet that waits for a commit. */
interface Held {
  readonly commit: Commit
  readonly type: Packet['type']
  /** The reply, or how to send what is none. */
  readonly what: Reply | (() => void)
}

/**
 * What one client must not see before it is safe. Nothing that needs no commit waits behind it, except what must keep
 * its order with it: acknowledgements of one kind [MQTT-4.6.0-2] [MQTT-4.6.0-3].
 */
export class HeldPackets {
  readonly #commits: Commits
  readonly #send: (reply: Reply) => void
  #held: Held[] = []
  readonly #countByType = new Map<Packet['type'], number>()
  /** The newest commit that will release something. */
  #awaited: Commit = 0

  constructor(commits: Commits, send: (reply: Reply) => void) {
    this.#commits = commits
    this.#send = send
  }

  /** The commit after which nothing is held any more. */
  get awaited(): Commit {
    return this.#held.length > 0 ? this.#awaited : 0
  }

  /** Whether one of this kind must wait because an earlier one does; behind CONNACK all must [MQTT-3.2.0-1]. */
  blocks(type: Packet['type']): boolean {
    return this.#held.length > 0 && (this.#countByType.has(type) || this.#countByType.has('connack'))
  }

  hold(commit: Commit, type: Packet['type'], what: Held['what']): void {
    this.#keep({ commit, type, what })
    if (commit <= this.#awaited) return
    this.#awaited = commit
    this.#commits.after(commit, () => this.#release())
  }

  clear(): void {
    this.#held = []
    this.#countByType.clear()
  }

  /** The store has flushed more commits: what waited for them goes out, in order. */
  #release(): void {
    const { flushed } = this.#commits
    const held = this.#held
    this.clear()
    const due: Held[] = []
    for (const one of held) {
      if (one.commit > flushed || this.blocks(one.type)) this.#keep(one)
      else due.push(one)
    }
    // Only now: what these send in turn must line up behind what is still held.
    for (const { what } of due) {
      if (typeof what === 'function') what()
      else this.#send(what)
    }
  }

  #keep(one: Held): void {
    this.#held.push(one)
    this.#countByType.set(one.type, (this.#countByType.get(one.type) ?? 0) + 1)
  }
}
