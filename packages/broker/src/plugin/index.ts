export { serviceUrl } from '../access/service-url.js'
export { PluginOptionsError } from './check-plugin.js'
export { type Outlet, openOutlet } from './outlet.js'
export {
  MessageRefusedError,
  type OutletAttempt,
  type OutletCounts,
  type OutletMessage,
  type OutletOptions,
} from './outlet-options.js'
export type { OutletView } from './outlet-view.js'
export { definePlugin, type Plugin, type PluginContext, type PluginDefinition } from './plugin.js'
export { type PostOptions, post } from './post.js'
export { type CallWatch, type PreparedPlugin, type PrepareOptions, preparePlugin } from './prepared-plugin.js'
export type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.js'
