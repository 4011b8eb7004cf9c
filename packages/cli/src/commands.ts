import type { CommandLine } from './manual.js'
import type { Command } from './terminal.js'

/** A command once it is loaded. */
interface LoadedCommand {
  readonly run: Command
  /** Its options, and those of each command below it, such as `config import`. */
  readonly lines: () => readonly CommandLine[]
}

interface CommandEntry {
  readonly summary: string
  /** Other words that people type for it. They are not taken: one name a thing. */
  readonly alike?: readonly string[]
  /** Whether it is in the bundle that starts at once (scripts/bundle.mjs); its file then has the command's name. */
  readonly quick?: true
  /** Each command is loaded when it is called: `godwit pub` shall not pay for the broker. */
  readonly load: () => Promise<LoadedCommand>
}

export const commands: Readonly<Record<string, CommandEntry>> = {
  broker: {
    summary: 'run an MQTT broker',
    alike: ['start', 'run', 'serve', 'listen', 'daemon', 'mosquitto'],
    load: async () => {
      const { broker, brokerLine } = await import('./commands/broker.js')
      return { run: broker, lines: () => [brokerLine()] }
    },
  },
  config: {
    summary: 'check and print the configuration of a broker',
    alike: ['configuration', 'check', 'import', 'settings'],
    load: async () => {
      const { config, configLine } = await import('./commands/config.js')
      const { configImportLine } = await import('./commands/config-import.js')
      return { run: config, lines: () => [configLine(), configImportLine()] }
    },
  },
  service: {
    summary: 'make a service of the system out of the broker',
    alike: ['install', 'systemd', 'enable'],
    load: async () => {
      const { service, serviceLine } = await import('./commands/service.js')
      return { run: service, lines: () => [serviceLine()] }
    },
  },
  store: {
    summary: 'check and repair the data of a broker that is not running',
    alike: ['fsck', 'verify', 'repair', 'recover'],
    load: async () => {
      const { store, storeCheckLine, storeRepairLine } = await import('./commands/store.js')
      return { run: store, lines: () => [storeCheckLine(), storeRepairLine()] }
    },
  },
  cluster: {
    summary: 'show and steer a node of a cluster',
    alike: ['nodes', 'failover', 'handover', 'replicas'],
    load: async () => {
      const { cluster, clusterLine } = await import('./commands/cluster.js')
      return { run: cluster, lines: () => [clusterLine()] }
    },
  },
  reload: {
    summary: 'make a running broker take up its configuration',
    alike: ['restart', 'refresh'],
    quick: true,
    load: async () => {
      const { reload, reloadLine } = await import('./commands/reload.js')
      return { run: reload, lines: () => [reloadLine()] }
    },
  },
  trace: {
    summary: 'show the packets of a client or a topic, live',
    alike: ['debug', 'log', 'watch'],
    quick: true,
    load: async () => {
      const { trace, traceCommandLine } = await import('./commands/trace.js')
      return { run: trace, lines: () => [traceCommandLine()] }
    },
  },
  top: {
    summary: 'show live what a broker does',
    alike: ['stats', 'status', 'monitor', 'metrics'],
    quick: true,
    load: async () => {
      const { top, topLine } = await import('./commands/top.js')
      return { run: top, lines: () => [topLine()] }
    },
  },
  clients: {
    summary: 'list the clients that are connected',
    alike: ['who', 'connections', 'ps'],
    quick: true,
    load: async () => {
      const { clients, clientsLine } = await import('./commands/clients.js')
      return { run: clients, lines: () => [clientsLine()] }
    },
  },
  sessions: {
    summary: 'list sessions, with and without a connection',
    alike: ['queues'],
    quick: true,
    load: async () => {
      const { sessions, sessionsLine } = await import('./commands/sessions.js')
      return { run: sessions, lines: () => [sessionsLine()] }
    },
  },
  subscriptions: {
    summary: 'list who has subscribed to what',
    alike: ['subscribers', 'filters'],
    quick: true,
    load: async () => {
      const { subscriptions, subscriptionsLine } = await import('./commands/subscriptions.js')
      return { run: subscriptions, lines: () => [subscriptionsLine()] }
    },
  },
  retained: {
    summary: 'list retained messages, or delete some',
    alike: ['delete', 'purge'],
    quick: true,
    load: async () => {
      const { retained, retainedLine } = await import('./commands/retained.js')
      return { run: retained, lines: () => [retainedLine()] }
    },
  },
  bridge: {
    summary: 'list the bridges to other brokers, or try one',
    alike: ['bridges', 'connection', 'forward'],
    load: async () => {
      const { bridge, bridgeLine } = await import('./commands/bridge.js')
      return { run: bridge, lines: () => [bridgeLine()] }
    },
  },
  plugins: {
    summary: 'list what plugins do, and whether what they send elsewhere goes out',
    alike: ['plugin', 'outlets', 'extensions'],
    quick: true,
    load: async () => {
      const { plugins, pluginsLine } = await import('./commands/plugins.js')
      return { run: plugins, lines: () => [pluginsLine()] }
    },
  },
  kick: {
    summary: 'disconnect a client, or end its session',
    alike: ['disconnect', 'end', 'ban'],
    quick: true,
    load: async () => {
      const { kick, kickLine } = await import('./commands/kick.js')
      return { run: kick, lines: () => [kickLine()] }
    },
  },
  users: {
    summary: 'list, add and remove users while the broker runs',
    alike: ['adduser', 'accounts'],
    quick: true,
    load: async () => {
      const { users, usersLine } = await import('./commands/users.js')
      return { run: users, lines: () => [usersLine()] }
    },
  },
  backup: {
    summary: 'copy the data of a running broker',
    alike: ['dump', 'snapshot', 'export'],
    quick: true,
    load: async () => {
      const { backup, backupLine } = await import('./commands/backup.js')
      return { run: backup, lines: () => [backupLine()] }
    },
  },
  restore: {
    summary: 'make a data folder of a backup',
    alike: ['recovery'],
    load: async () => {
      const { restore, restoreLine } = await import('./commands/restore.js')
      return { run: restore, lines: () => [restoreLine()] }
    },
  },
  pub: {
    summary: 'publish messages',
    alike: ['publish', 'send', 'mosquitto_pub'],
    quick: true,
    load: async () => {
      const { pub, pubLine } = await import('./commands/pub.js')
      return { run: pub, lines: () => [pubLine()] }
    },
  },
  sub: {
    summary: 'subscribe, and print what comes',
    alike: ['subscribe', 'receive', 'mosquitto_sub'],
    quick: true,
    load: async () => {
      const { sub, subLine } = await import('./commands/sub.js')
      return { run: sub, lines: () => [subLine()] }
    },
  },
  rr: {
    summary: 'publish a request, and print the response',
    alike: ['request', 'mosquitto_rr'],
    quick: true,
    load: async () => {
      const { rr, rrLine } = await import('./commands/rr.js')
      return { run: rr, lines: () => [rrLine()] }
    },
  },
  server: {
    summary: 'save servers under names, for @name',
    alike: ['servers', 'save', 'profile'],
    quick: true,
    load: async () => {
      const { server, serverLines } = await import('./commands/server.js')
      return { run: server, lines: serverLines }
    },
  },
  passwd: {
    summary: 'create, change and check a password file',
    alike: ['password', 'mosquitto_passwd', 'user'],
    load: async () => {
      const { passwd, passwdLine } = await import('./commands/passwd.js')
      return { run: passwd, lines: () => [passwdLine()] }
    },
  },
  token: {
    summary: "create, list and revoke tokens for a broker's HTTP API",
    alike: ['tokens', 'apikey', 'key'],
    load: async () => {
      const { token, tokenLine } = await import('./commands/token.js')
      return { run: token, lines: () => [tokenLine()] }
    },
  },
  console: {
    summary: 'print a link that logs a browser in to a running broker',
    alike: ['dashboard', 'login', 'web', 'ui', 'admin'],
    quick: true,
    load: async () => {
      const { console: run, consoleLine } = await import('./commands/console.js')
      return { run, lines: () => [consoleLine()] }
    },
  },
  acl: {
    summary: 'say which access rule decides',
    alike: ['explain', 'access'],
    load: async () => {
      const { acl, aclLine } = await import('./commands/acl.js')
      return { run: acl, lines: () => [aclLine()] }
    },
  },
  conform: {
    summary: 'hold a broker or a client to the standard, statement by statement',
    alike: ['conformance', 'test'],
    load: async () => {
      const { conform, conformLine } = await import('./commands/conform.js')
      return { run: conform, lines: () => [conformLine()] }
    },
  },
  bench: {
    summary: 'measure a broker',
    alike: ['benchmark', 'measure', 'load'],
    load: async () => {
      const { bench, benchLine } = await import('./commands/bench.js')
      return { run: bench, lines: () => [benchLine()] }
    },
  },
  completion: {
    summary: 'print what a shell needs to complete these commands',
    alike: ['completions', 'complete'],
    load: async () => {
      const { completion, completionLine } = await import('./commands/completion.js')
      const run: Command = (args, terminal) => completion(args, terminal, Object.values(commands))
      return { run, lines: () => [completionLine()] }
    },
  },
}

/** The command of that name; undefined where there is none. */
export function commandNamed(name: string | undefined): CommandEntry | undefined {
  return name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
}
