declare const kind: unique symbol

/**
 * A promise of the store: writes are gathered; each answers with the commit it will be part of, and the store says once "safe
 * up to this one". An acknowledgement that promises a write waits until then. What it consists of is the store's: others ask
 * {@link later} and {@link isSafe}.
 */
export type Commit = number & { readonly [kind]: 'Commit' }

/** Nothing to wait for. */
export const noCommit = 0 as Commit

/** Whoever waits for this one waits for both. */
export function later(one: Commit, other: Commit): Commit {
  return one > other ? one : other
}

/** Whether a commit is safe when all up to `flushed` are. */
export function isSafe(commit: Commit, flushed: Commit): boolean {
  return commit <= flushed
}

/** For sorting: what is safe first comes first. */
export function inOrder(one: Commit, other: Commit): number {
  return one - other
}

/** For those who make commits: the store, and what stands in for one. */
export function commitNumbered(number: number): Commit {
  return number as Commit
}
