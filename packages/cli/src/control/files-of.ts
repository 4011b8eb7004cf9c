import { isDeepStrictEqual } from 'node:util'
import type { Resolved } from '../config/resolve.js'
import type { Config } from '../config/schema.js'
import type { Reloadable } from './reloading.js'

/**
 * Files that are read again while the settings that name them are as they were at the start.
 * @param names in words: `password file`.
 * @param named those settings.
 */
export function filesOf(
  names: readonly string[],
  started: Resolved,
  named: (config: Config) => unknown,
  read: () => Promise<void>,
): Reloadable {
  return {
    prepare: async (next) =>
      isDeepStrictEqual(named(started.config), named(next.config))
        ? { reloaded: names, commit: read, abandon: () => {} }
        : undefined,
  }
}
