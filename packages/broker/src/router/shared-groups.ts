import type { Commit } from '../commit.js'
import { type GroupParts, SharedGroup } from './shared-group.js'

/** All shared groups, by their whole filter: one name with two filters is two groups. */
export class SharedGroups {
  readonly #parts: GroupParts
  readonly #groups = new Map<string, SharedGroup>()
  readonly #memberships = { count: 0 }

  constructor(parts: GroupParts) {
    this.#parts = parts
  }

  /** Members of all groups. */
  get memberships(): number {
    return this.#memberships.count
  }

  get(sharedFilter: string): SharedGroup | undefined {
    return this.#groups.get(sharedFilter)
  }

  getOrCreate(sharedFilter: string): SharedGroup {
    let group = this.#groups.get(sharedFilter)
    if (!group) {
      group = new SharedGroup(sharedFilter, this.#parts, this.#memberships)
      this.#groups.set(sharedFilter, group)
    }
    return group
  }

  /** Ends a group that nobody is a member of any more. */
  delete(group: SharedGroup): Commit {
    this.#groups.delete(group.sharedFilter)
    return group.end()
  }

  /** Groups an earlier process left, whose members have all gone. */
  empty(): readonly SharedGroup[] {
    return [...this.#groups.values()].filter((group) => group.isEmpty)
  }
}
