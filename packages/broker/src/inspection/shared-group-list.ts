import { type QoS, splitShared } from '@godwit/protocol'
import type { SharedGroup } from '../router/shared-group.js'
import type { SharedGroups } from '../router/shared-groups.js'
import type { Slices } from '../time/slices.js'
import { Listing } from './page.js'

/** Members that are shown of one group. */
const mostMembers = 1_000

/** A shared subscription, as it is now. */
export interface SharedGroupView {
  /** `$share/NAME/FILTER`. */
  readonly sharedFilter: string
  readonly shareName: string
  readonly filter: string
  readonly members: number
  /** Messages that no member has: its lag. */
  readonly waiting: number
  /** Messages at QoS 1 that members have been sent and have not acknowledged. */
  readonly lent: number
  /** Bytes in its queue: topics, properties, payloads. */
  readonly queuedBytes: number
  /** What waits outlives the process, if anything does: a member has a session that outlives its connection. */
  readonly durable: boolean
}

export interface SharedMemberView {
  readonly clientId: string
  readonly connected: boolean
  /** A message would go out to it at once: its window and its socket have room. */
  readonly ready: boolean
  /** Granted. */
  readonly qos: QoS
}

/** The shared subscriptions (5.0, section 4.8.2), also those that clients of 3.1.1 have. What is asked wrongly rejects. */
export class SharedGroupList extends Listing<SharedGroupView> {
  readonly #groups: SharedGroups

  constructor(groups: SharedGroups, slices: Slices) {
    const view = (sharedFilter: string): SharedGroupView | undefined => {
      const group = groups.get(sharedFilter)
      return group && viewOf(group)
    }
    super({ names: (from) => groups.names.from(from), view }, slices)
    this.#groups = groups
  }

  async count(): Promise<number> {
    return this.#groups.count
  }

  /** The members of one, in the order in which they came; 1,000 at most. */
  async members(sharedFilter: string): Promise<readonly SharedMemberView[]> {
    const found: SharedMemberView[] = []
    for (const [{ clientId, online, room }, { qos }] of this.#groups.get(sharedFilter)?.members() ?? []) {
      if (found.length === mostMembers) break
      found.push({ clientId, connected: online, ready: room > 0, qos })
    }
    return found
  }
}

function viewOf(group: SharedGroup): SharedGroupView {
  const { sharedFilter, size, waiting, lent, queuedBytes, durable } = group
  const { group: shareName, filter } = splitShared(sharedFilter)!
  return { sharedFilter, shareName, filter, members: size, waiting, lent, queuedBytes, durable }
}
