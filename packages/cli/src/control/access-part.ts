import type { Access } from '../broker-access.js'
import type { Resolved } from '../config/resolve.js'
import type { Config } from '../config/schema.js'
import type { Editors } from '../editing/editors.js'
import { changedSettings } from './changed-settings.js'
import type { Reloadable } from './reloading.js'

/** Who may come in and do what: settings, password files and access rules. */
export function accessPart(access: Access, editors: Pick<Editors, 'follow'>, started: Resolved): Reloadable {
  const of = ({ auth, acl, allowAnonymous }: Config) => ({ auth, acl, allowAnonymous })
  let inForce = of(started.config)
  return {
    async prepare(next) {
      const { commit, abandon } = await access.prepare(next)
      const settings = of(next.config)
      return {
        reloaded: [...filesIn(next.config), ...changedSettings(inForce, settings)],
        commit: () => {
          inForce = settings
          editors.follow(next)
          commit()
        },
        abandon,
      }
    },
  }
}

function filesIn({ auth, acl, listeners }: Config): readonly string[] {
  const hasPasswords = [auth, ...listeners.map((one) => one.auth)].some((one) => one?.passwordFile !== undefined)
  const hasRules = [acl, ...listeners.map((one) => one.acl)].some((one) => one?.file !== undefined)
  return [...(hasPasswords ? ['password file'] : []), ...(hasRules ? ['access rules'] : [])]
}
