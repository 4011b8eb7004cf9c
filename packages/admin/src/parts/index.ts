// What whoever serves the API gives it, without the API itself: a program that serves none loads no more than this.
export { disconnectUser } from '../disconnect-user.js'
export {
  type AccessAnswer,
  type AccessExplainer,
  type AccessQuestion,
  type Backup,
  type Backups,
  type BridgeState,
  type Bridges,
  type Cluster,
  type ClusterNodeView,
  type ClusterView,
  type Configuration,
  EditConflict,
  type Edited,
  type EditOptions,
  type Log,
  type LogLine,
  NotEditable,
  NotThere,
  type Parts,
  type PluginState,
  type Plugins,
  type Rule,
  type Rules,
  type Setting,
  Unacceptable,
  type User,
  type Users,
} from '../parts.js'
export { RecentLog } from '../recent-log.js'
export { type Role, roles } from '../roles.js'
export { formatTokens, parseTokens, type StoredToken, TokenFile } from '../token-file.js'
export { type Credential, fixedTokens, hashOfToken, newToken, type Tokens } from '../tokens.js'
