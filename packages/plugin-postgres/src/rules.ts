import type { AuthorizeRequest, ClientInfo, Hooks } from '@godwit/broker'
import { type AccessRules, AnswerCache, accessRules, parseAccessRules } from '@godwit/broker/access'
import type { PluginContext } from '@godwit/broker/plugin'
import type { Database } from './database.js'
import { type PostgresOptions, parametersIn } from './options.js'

const mostRemembered = 10_000

/** Rules of a database: what it allows is allowed, and nothing while it gives no answer. */
export function databaseRules(
  options: NonNullable<PostgresOptions['rules']>,
  { log, clock }: Pick<PluginContext, 'log' | 'clock'>,
  database: Database,
): Hooks {
  const { query, cacheSeconds } = options
  const parameters = parametersIn(query)
  const known = new AnswerCache<AccessRules>(cacheSeconds, mostRemembered, clock)
  /** Asked for just now, by the same names. */
  const underWay = new Map<string, Promise<AccessRules>>()

  const ask = async (key: string, { username, clientId }: ClientInfo): Promise<AccessRules> => {
    const rows = await database.ask(query, [username ?? null, clientId].slice(0, parameters))
    const rules = accessRules(parseAccessRules(rows.map(ruleOf), (at) => `rule ${at + 1} of ${username ?? 'nobody'}`))
    known.set(key, rules)
    return rules
  }

  const decide = (request: AuthorizeRequest, rules: AccessRules): boolean => rules.authorize(request)

  return {
    authorize(request) {
      const { username, clientId } = request.client
      const key = known.keyOf(username, clientId)
      const before = known.get(key)
      if (before) return decide(request, before)
      const asked = underWay.get(key) ?? ask(key, request.client).finally(() => underWay.delete(key))
      underWay.set(key, asked)
      return asked.then(
        (rules) => decide(request, rules),
        (error: Error) => {
          // What the database has not said has been told; what it has said may be no rule.
          if ('code' in error && error.code === 'invalid-option')
            log.log('error', 'a rule cannot be used', { clientId, error: error.message })
          return false
        },
      )
    },
  }
}

/** A row in the form of a configuration. */
function ruleOf({ effect = 'allow', action, filter }: Readonly<Record<string, unknown>>): object {
  const actions = action === 'all' ? ['publish', 'subscribe'] : action
  return effect === 'deny' ? { deny: actions, filter } : { allow: actions, filter }
}
