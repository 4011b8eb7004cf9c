/** What a token may do: an operator does all that a viewer does, an admin all that there is. */
export type Role = 'viewer' | 'operator' | 'admin'

/** From the least to the most. */
export const roles: readonly Role[] = ['viewer', 'operator', 'admin']

/**
 * Who may do what: the least role of every operation. `anyone` needs no token: it is how one logs in, or describes the API.
 * A viewer looks, and sees no payload; an operator looks at everything, publishes, disconnects and traces; the rest is an admin's.
 */
export const leastRole = {
  getSelf: 'viewer',
  logIn: 'anyone',
  logOut: 'viewer',
  getBroker: 'viewer',
  getCluster: 'viewer',
  listBridges: 'viewer',
  listPlugins: 'viewer',
  getConfiguration: 'viewer',
  getCounters: 'viewer',
  getHistory: 'viewer',
  getLog: 'viewer',
  listDrops: 'viewer',
  listClients: 'viewer',
  getClient: 'viewer',
  listSessions: 'viewer',
  getSession: 'viewer',
  listQueue: 'viewer',
  listSubscriptions: 'viewer',
  listReceivers: 'viewer',
  listSharedGroups: 'viewer',
  getSharedGroup: 'viewer',
  listRetained: 'viewer',
  getRetained: 'viewer',
  followEvents: 'viewer',
  listUsers: 'operator',
  listRules: 'operator',
  explainAccess: 'operator',
  publish: 'operator',
  disconnectClient: 'operator',
  endSession: 'admin',
  deleteRetained: 'admin',
  setUser: 'admin',
  removeUser: 'admin',
  replaceRules: 'admin',
  addRule: 'admin',
  changeRule: 'admin',
  removeRule: 'admin',
  checkConfiguration: 'admin',
  reload: 'admin',
  handOverCluster: 'admin',
  createBackup: 'admin',
  listBackups: 'admin',
  downloadBackup: 'admin',
  removeBackup: 'admin',
} as const satisfies Readonly<Record<string, Role | 'anyone'>>

export type OperationId = keyof typeof leastRole

/** Within an operation that a lesser role may call. */
export const leastRoleWithin = {
  /** Payloads of queues and of retained messages. */
  payloads: 'operator',
  /** Packets of a client or a topic, live. */
  trace: 'operator',
  /** MQTT over a WebSocket of the same server, as the console's topics have it. */
  mqtt: 'operator',
} as const satisfies Readonly<Record<string, Role>>

/** Whether a role includes another. */
export function mayAs(role: Role, least: Role | 'anyone'): boolean {
  return least === 'anyone' || roles.indexOf(role) >= roles.indexOf(least)
}
