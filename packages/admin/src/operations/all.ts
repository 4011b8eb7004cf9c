import type { Operation } from '../operation.js'
import { explainAccess } from './access.js'
import { createBackup, downloadBackup, listBackups, removeBackup } from './backups.js'
import { getBroker, getCounters } from './broker.js'
import { disconnectClient, getClient, listClients } from './clients.js'
import { getCluster, handOverCluster } from './cluster.js'
import { checkConfiguration, getConfiguration, reload } from './configuration.js'
import { listBridges, listPlugins } from './connections.js'
import { listDrops } from './drops.js'
import { followEvents } from './events.js'
import { getHistory } from './history.js'
import { getLog } from './log.js'
import { publish } from './publish.js'
import { deleteRetained, getRetained, listRetained } from './retained.js'
import { addRule, changeRule, listRules, removeRule, replaceRules } from './rules.js'
import { getSelf, logIn, logOut } from './self.js'
import { endSession, getSession, listQueue, listSessions } from './sessions.js'
import { getSharedGroup, listReceivers, listSharedGroups, listSubscriptions } from './subscriptions.js'
import { listUsers, removeUser, setUser } from './users.js'

/** Every operation of the API, in the order in which it is described. */
export const operations: readonly Operation[] = [
  getSelf,
  logIn,
  logOut,
  getBroker,
  getCounters,
  getCluster,
  handOverCluster,
  listBridges,
  listPlugins,
  getHistory,
  getLog,
  listDrops,
  listClients,
  getClient,
  disconnectClient,
  listSessions,
  getSession,
  listQueue,
  endSession,
  listSubscriptions,
  listReceivers,
  listSharedGroups,
  getSharedGroup,
  listRetained,
  getRetained,
  deleteRetained,
  followEvents,
  publish,
  listUsers,
  setUser,
  removeUser,
  listRules,
  replaceRules,
  addRule,
  changeRule,
  removeRule,
  explainAccess,
  getConfiguration,
  checkConfiguration,
  reload,
  createBackup,
  listBackups,
  downloadBackup,
  removeBackup,
]
