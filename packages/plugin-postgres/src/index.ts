import type { Hooks } from '@godwit/broker'
import { definePlugin, type Outlet, openOutlet, type PluginContext } from '@godwit/broker/plugin'
import { Database } from './database.js'
import { messageWriter } from './messages.js'
import { type PostgresOptions, passwordOf, postgresOptions } from './options.js'
import { databaseRules } from './rules.js'
import { databaseUsers, type UserCounts } from './users.js'

export { type PostgresOptions, postgresOptions } from './options.js'

/** What one run of the plugin has. */
interface Run {
  /** For questions about users and rules. */
  readonly database: Database
  /** For messages: a transaction takes the time it takes. */
  readonly sink: Database
  readonly users: UserCounts
  outlet: Outlet | undefined
}

/**
 * Users, rules and messages of a broker in PostgreSQL. See docs/plugin-postgres.md.
 */
export default definePlugin({
  name: 'postgres',
  options: postgresOptions,
  state({ options, log }): Run {
    const { connection, maxConnections, timeoutMs, messages } = options
    const common = { connection, password: passwordOf(options), log }
    return {
      database: new Database({ ...common, maxConnections, timeoutMs }),
      sink: new Database({ ...common, maxConnections: 1, timeoutMs: messages?.timeoutMs ?? timeoutMs }),
      users: { asked: 0, cached: 0, failed: 0 },
      outlet: undefined,
    }
  },
  hooks: (plugin): Hooks =>
    plugin.options.rules ? databaseRules(plugin.options.rules, plugin, plugin.state.database) : {},
  authenticator(plugin) {
    const { options, state } = plugin
    return options.users && databaseUsers(options.users, plugin, state.database, state.users)
  },
  async start(broker, plugin: PluginContext<PostgresOptions, Run>) {
    const { options, state } = plugin
    if (!options.messages) return
    const { table: _, columns: __, createTable: ___, ...outlet } = options.messages
    state.outlet = await openOutlet(broker, plugin, { ...outlet, write: messageWriter(options.messages, state.sink) })
  },
  async stop({ state }) {
    await state.outlet?.close()
    await Promise.all([state.database.close(), state.sink.close()])
  },
  counts: ({ options, state: { outlet, users } }) => ({
    ...outlet?.counts,
    ...(options.users && { users_asked: users.asked, users_cached: users.cached, users_failed: users.failed }),
  }),
})
