import type { Broker, InheritedSocket, Logger } from '@godwit/broker'
import type { BackupFolder } from '../backup-folder.js'
import type { Access } from '../broker-access.js'
import { CommandError } from '../command-error.js'
import type { Resolved } from '../config/resolve.js'
import type { Editors } from '../editing/editors.js'
import type { BrokerLog } from '../log.js'
import type { Bridged } from '../monitoring/bridges-text.js'
import type { Plugged } from '../monitoring/plugin-text.js'
import type { OpenListeners } from '../open-listeners.js'
import { systemProblem } from '../system-problem.js'
import { accessPart } from './access-part.js'
import { controlPath, pathProblem } from './control-path.js'
import type { ReloadAnswer } from './control-protocol.js'
import { controlRequests } from './control-requests.js'
import { ControlSocket, type Serve } from './control-socket.js'
import { type Reloadable, Reloading } from './reloading.js'
import { backupPart, brokerPart, logPart } from './settings-part.js'
import { tryOut } from './trial.js'

/** A broker that runs, and what it was made from. */
export interface RunningBroker {
  readonly broker: Broker
  readonly settings: Resolved
  readonly access: Access
  readonly plugins: Reloadable & Plugged
  readonly listeners: OpenListeners
  /** Those that systemd has given to this process. */
  readonly sockets: readonly InheritedSocket[]
  /** What file, environment and flags say now; throws where they are wrong. */
  readonly read: () => Resolved
  readonly editors: Editors
  readonly backups: BackupFolder
  readonly loginLink: () => string | undefined
  readonly bridges: Bridged
  /** What else can be read again. */
  readonly reloadable: readonly Reloadable[]
  /** Is given what the broker answers over a socket that is there already. Left out: it has one of its own. */
  readonly onRequests?: (serve: Serve) => void
  readonly log: BrokerLog
}

/** What the person who runs a broker may do to it while it runs. */
export interface BrokerControl {
  /** Reads again what can be read again; what it throws has been told in the log. */
  reload(): Promise<ReloadAnswer>
  /** What holds now of the configuration. */
  inForce(): Resolved
  close(): Promise<void>
}

/**
 * Opens the control socket of a broker. Where the system lets it have none, that is told, and it goes on without.
 * @throws CommandError when another program listens there.
 */
export async function brokerControl(running: RunningBroker): Promise<BrokerControl> {
  const { settings, sockets, read, editors, reloadable, log } = running
  const check = (next: Resolved): Promise<void> => tryOut(next, sockets)
  const reloading = new Reloading({ started: settings, read, check, parts: [...partsOf(running), ...reloadable], log })
  const reload = (): Promise<ReloadAnswer> => {
    log.reopen() // whatever becomes of the rest: the file may have been renamed
    return reloading.reload()
  }
  const path = controlPath(settings.config)
  const { users } = editors
  const listeners = (): readonly string[] => running.listeners.words
  const requests = controlRequests({ ...running, listeners, reload, users })
  const inForce = (): Resolved => reloading.inForce
  if (running.onRequests) {
    running.onRequests(requests)
    return { reload, inForce, close: async () => {} }
  }
  const socket = path === undefined ? undefined : await open(path, requests, log)
  return { reload, inForce, close: async () => socket?.close() }
}

export async function open(path: string, serve: Serve, log: Logger): Promise<ControlSocket | undefined> {
  try {
    const problem = pathProblem(path)
    if (problem === undefined) return await ControlSocket.open(path, serve, log)
    log.log('warn', `there is no control socket: ${problem}`)
  } catch (error) {
    if (error instanceof CommandError) throw error
    log.log(
      'warn',
      `there is no control socket at ${path}: ${systemProblem(error)}; name another path with --control PATH`,
    )
  }
  return undefined
}

function partsOf(running: RunningBroker): readonly Reloadable[] {
  const { broker, settings, access, plugins, editors, listeners, backups, log } = running
  return [
    logPart(log, settings),
    brokerPart(broker, settings),
    backupPart(backups, settings),
    plugins, // before what asks them for users
    accessPart(access, editors, settings),
    listeners,
  ]
}
