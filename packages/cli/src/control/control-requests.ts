import { disconnectUser, type Users } from '@godwit/admin/parts'
import type { Logger } from '@godwit/broker'
import type { BackupFolder } from '../backup-folder.js'
import { CommandError } from '../command-error.js'
import type { Bridged } from '../monitoring/bridges-text.js'
import type { Plugged } from '../monitoring/plugin-text.js'
import { version } from '../version.js'
import type { Answers } from './answers.js'
import type {
  BackupAnswer,
  BridgesAnswer,
  ConsoleAnswer,
  ControlRequest,
  DeleteAnswer,
  KickAnswer,
  PluginsAnswer,
  ReloadAnswer,
  StatusAnswer,
  UserAnswer,
  UsersAnswer,
} from './control-protocol.js'
import type { Serve } from './control-socket.js'
import type { SteeredBroker } from './inspected-broker.js'
import { streamList } from './list-stream.js'
import { streamTop } from './top-stream.js'
import { streamTrace } from './trace-stream.js'

export interface ControlledBroker {
  readonly broker: SteeredBroker
  /** In words, as `127.0.0.1:1883`. */
  readonly listeners: () => readonly string[]
  readonly reload: () => Promise<ReloadAnswer>
  readonly users: Users
  readonly backups: Pick<BackupFolder, 'create' | 'pathOf'>
  /** A link that logs in to the console; undefined: none is served. */
  readonly loginLink: () => string | undefined
  readonly bridges: Bridged
  readonly plugins: Plugged
  /** Told of all that is changed. */
  readonly log: Logger
}

/** What a broker answers to requests over its control socket. No answer holds a payload, a password or a key. */
export function controlRequests(controlled: ControlledBroker): Serve {
  const { broker, listeners, reload, users, bridges, plugins } = controlled
  return async (request, answers) => {
    switch (request.request) {
      case 'status': {
        const { pid } = process
        const uptimeSeconds = Math.floor(process.uptime())
        return answers.end({ version, pid, uptimeSeconds, listeners: listeners() } satisfies StatusAnswer)
      }
      case 'reload':
        return answers.end(await reload())
      case 'trace':
        return streamTrace(broker, request, answers)
      case 'top':
        return streamTop(broker, answers)
      case 'list':
        return streamList(broker, request, answers)
      case 'bridges':
        return answers.end({ bridges: bridges.views } satisfies BridgesAnswer)
      case 'plugins':
        return answers.end({ plugins: plugins.views } satisfies PluginsAnswer)
      case 'users': {
        const { users: known } = await users.list()
        return answers.end({ users: known.map(({ username }) => username) } satisfies UsersAnswer)
      }
      case 'cluster':
        throw new CommandError('this broker is alone: no cluster is in its configuration')
      default:
        return answers.end(await done(controlled, request, answers))
    }
  }
}

type Deed = Exclude<
  ControlRequest,
  { readonly request: 'status' | 'reload' | 'trace' | 'top' | 'list' | 'bridges' | 'plugins' | 'users' | 'cluster' }
>

/** Does what changes something, and tells the log. */
async function done(
  { broker, users, backups, loginLink, log }: ControlledBroker,
  request: Deed,
  answers: Pick<Answers, 'whenLeft'>,
): Promise<KickAnswer | DeleteAnswer | UserAnswer | BackupAnswer | ConsoleAnswer> {
  const tell = (message: string, fields: Readonly<Record<string, string | number | boolean>>): void =>
    log.log('info', message, { ...fields, by: 'the control socket' })
  switch (request.request) {
    case 'kick': {
      const { client: clientId, endSession = false } = request
      const disconnected = await broker.disconnect(clientId)
      const ended = endSession && (await broker.sessions.end(clientId))
      if (disconnected || ended) tell(ended ? 'session ended' : 'client disconnected', { clientId })
      return { disconnected, ended }
    }
    case 'delete-retained': {
      const { filter } = request
      const deleted = await broker.retained.delete(filter)
      if (deleted > 0) tell('retained messages deleted', { filter, deleted })
      return { deleted }
    }
    case 'set-user': {
      const { created } = await users.set(request.user, request.password)
      tell(created ? 'user added' : 'password changed', { username: request.user })
      return { done: created ? 'added' : 'changed', disconnected: 0 }
    }
    case 'remove-user': {
      await users.remove(request.user)
      const disconnected = await disconnectUser(broker, request.user)
      tell('user removed', { username: request.user, disconnected })
      return { done: 'removed', disconnected }
    }
    case 'backup': {
      const left = new AbortController()
      answers.whenLeft(() => left.abort())
      const { name, bytes } = await backups.create(left.signal)
      tell('backup made', { name, bytes })
      return { path: backups.pathOf(name), bytes }
    }
    case 'console':
      return loginLinkAnswer(loginLink(), log)
  }
}

/** @param link undefined: no console is served. */
export function loginLinkAnswer(link: string | undefined, log: Logger): ConsoleAnswer {
  if (link === undefined) {
    throw new CommandError('this broker serves no console: see its log, or start it with --http [HOST:]PORT')
  }
  log.log('info', 'login link made', { by: 'the control socket' })
  return { link }
}
