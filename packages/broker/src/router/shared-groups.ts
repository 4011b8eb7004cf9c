import type { Commit } from '../commit.js'
import { SortedNames } from '../sorted-names.js'
import { type GroupParts, SharedGroup } from './shared-group.js'

/** All shared groups, by their whole filter: one name with two filters is two groups. */
export class SharedGroups {
  /** Their whole filters. */
  readonly names: SortedNames = new SortedNames()
  readonly #parts: GroupParts
  readonly #groups = new Map<string, SharedGroup>()
  readonly #memberships = { count: 0 }

  constructor(parts: GroupParts) {
    this.#parts = parts
  }

  get count(): number {
    return this.#groups.size
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
      this.names.add(sharedFilter)
    }
    return group
  }

  /** Ends a group that nobody is a member of any more. */
  delete(group: SharedGroup): Commit {
    if (this.#groups.delete(group.sharedFilter)) this.names.delete(group.sharedFilter)
    return group.end()
  }

  /** Groups an earlier process left, whose members have all gone. */
  empty(): readonly SharedGroup[] {
    return [...this.#groups.values()].filter((group) => group.isEmpty)
  }
}
