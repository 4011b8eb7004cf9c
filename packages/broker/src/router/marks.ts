import { randomBytes } from 'node:crypto'
import { encodeUtf8 } from '@godwit/protocol'
import type { Account } from '../accounts.js'
import type { Mark } from '../bridging.js'
import { type Commit, later, noCommit } from '../commit.js'
import { Message } from '../message.js'
import type { Store } from '../store/store.js'
import { Seen } from './seen.js'

/** Where the store has what has been seen: below this. Nobody else keeps anything under `$SYS`. */
const storedUnder = '$SYS/bridges/seen/'
/** Those who mark messages; a broker is another one after each start. The one that was silent longest is forgotten. */
const mostMarkers = 64
/** What a marker takes beside its numbers, in memory and on disk, roughly. */
const markerBytes = 512

/**
 * Which messages have been here, of those that bridges carry on more than one way: each is taken once, whichever way is first. A
 * message is marked by the first broker from which it goes more than one way. What has been seen is kept in the commit that keeps
 * the message.
 */
export class Marks {
  readonly #store: Store
  readonly #account: Account
  readonly #own = randomBytes(9).toString('base64url')
  #next = 0
  /** The one heard last is the last. */
  readonly #seen = new Map<string, Seen>()

  /** @param account charged with what is remembered. */
  constructor(store: Store, account: Account) {
    this.#store = store
    this.#account = account
  }

  /** For a message that has none. */
  next(): Mark {
    return { marker: this.#own, number: this.#next++ }
  }

  has({ marker, number }: Mark): boolean {
    return this.#seen.get(marker)?.has(number) ?? false
  }

  /** A message of this mark is here. Kept with the message, if that is kept. */
  note({ marker, number }: Mark, isKept: boolean): Commit {
    const seen = this.#of(marker)
    const before = seen.bytes
    const changed = seen.add(number)
    this.#account.add(seen.bytes - before)
    if (!changed || !(isKept || changed.runs)) return noCommit
    let commit: Commit = noCommit
    for (const block of changed.gone) commit = later(commit, this.#keep(`${marker}/${block}`, undefined))
    if (changed.runs) commit = later(commit, this.#keep(marker, encodeUtf8(JSON.stringify(seen.runs))))
    const bits = seen.bitsOf(changed.block)?.slice()
    return bits ? later(commit, this.#keep(`${marker}/${changed.block}`, bits)) : commit
  }

  /** Takes up what an earlier process kept. False: the message is something else. */
  takeUp({ topic, payload }: Message): boolean {
    if (!topic.startsWith(storedUnder)) return false
    const [marker = '', block] = topic.slice(storedUnder.length).split('/')
    const seen = this.#of(marker)
    const before = seen.bytes
    if (block !== undefined) seen.restore(Number(block), new Uint8Array(payload))
    else seen.runs = JSON.parse(new TextDecoder().decode(payload))
    this.#account.add(seen.bytes - before)
    return true
  }

  #of(marker: string): Seen {
    const known = this.#seen.get(marker)
    if (known && this.#seen.size === 1) return known
    const seen = known ?? new Seen()
    if (!known) this.#account.add(markerBytes)
    this.#seen.delete(marker)
    this.#seen.set(marker, seen)
    if (this.#seen.size > mostMarkers) this.#forget(this.#seen.keys().next().value!)
    return seen
  }

  #forget(marker: string): void {
    const seen = this.#seen.get(marker)
    this.#seen.delete(marker)
    this.#account.add(-markerBytes - (seen?.bytes ?? 0))
    this.#keep(marker, undefined)
    for (const block of seen?.blocks ?? []) this.#keep(`${marker}/${block}`, undefined)
  }

  #keep(name: string, bytes: Uint8Array | undefined): Commit {
    const topic = storedUnder + name
    return this.#store.setRetained(topic, bytes && Message.of(topic, bytes, 1, true))
  }
}
