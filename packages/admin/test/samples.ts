import type { OperationId } from '../src/roles.js'

/** A request that succeeds, of one operation, where the rig has been {@link furnish}ed. */
export interface Sample {
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Of a body that is no JSON. */
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One for each operation; one that is missing does not compile. */
export const samples: Readonly<Record<OperationId, Sample>> = {
  getSelf: {},
  logIn: { body: { token: 'godwit_the-token-of-viewer' } },
  logOut: {},
  getBroker: {},
  getCluster: {},
  listBridges: {},
  listPlugins: {},
  handOverCluster: {},
  getConfiguration: {},
  getCounters: {},
  getHistory: { query: { span: 'hour' } },
  getLog: { query: { count: '10', level: 'warn' } },
  listDrops: { query: { clientId: 'away' } },
  listClients: { query: { limit: '10', sort: '-queued', search: 'c', columns: 'username,queued' } },
  getClient: { query: { clientId: 'c' } },
  listSessions: { query: { connected: 'false', durable: 'true', sort: 'queued', columns: 'queued' } },
  getSession: { query: { clientId: 'away' } },
  listQueue: { query: { clientId: 'away', limit: '1' } },
  listSubscriptions: { query: { clientId: 'c', filter: 't/#', search: 'T', columns: 'qos' } },
  listReceivers: { query: { topic: 't/x' } },
  listSharedGroups: { query: { sort: '-waiting', search: 'G', columns: 'members' } },
  getSharedGroup: { query: { sharedFilter: '$share/g/s' } },
  listRetained: { query: { filter: 'k/#', search: '1', sort: '-publishedAt', columns: 'payloadBytes' } },
  getRetained: { query: { topic: 'k/1' } },
  followEvents: { query: { feeds: 'changes,log,metrics' } },
  listUsers: {},
  listRules: {},
  explainAccess: { body: { action: 'publish', topic: 'a/b', username: 'ann', clientId: 'c', claims: { x: 1 } } },
  publish: {
    body: {
      topic: 't/x',
      payload: 'AAE=',
      encoding: 'base64',
      qos: 1,
      retain: true,
      properties: {
        contentType: 'x',
        correlationData: 'AAE=',
        userProperties: [['a', 'b']],
        messageExpiryInterval: 60,
      },
    },
  },
  disconnectClient: { query: { clientId: 'c' }, body: { reasonCode: 0x97, reasonString: 'enough' } },
  endSession: { query: { clientId: 'away' } },
  deleteRetained: { query: { filter: 'k/#' } },
  setUser: { query: { username: 'ben' }, body: { password: 'pass' } },
  removeUser: { query: { username: 'ann' }, headers: { 'if-match': '"e1"' } },
  replaceRules: { body: { rules: [{ deny: ['publish', 'subscribe'], filter: '#', user: ['ben'], anonymous: false }] } },
  addRule: { query: { at: '0' }, body: { allow: 'subscribe', filter: 'b/+', matching: 'exact', client: 'c' } },
  changeRule: { query: { at: '0' }, body: { allow: 'publish', filter: 'c' }, headers: { 'if-match': '"e1"' } },
  removeRule: { query: { at: '0' }, headers: { 'if-match': '"e1"' } },
  checkConfiguration: { body: 'colour: red\n', type: 'application/yaml' },
  reload: {},
  createBackup: {},
  listBackups: {},
  downloadBackup: { query: { name: 'old' } },
  removeBackup: { query: { name: 'old' } },
}
