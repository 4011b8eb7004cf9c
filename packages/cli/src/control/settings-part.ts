import type { Broker, Edge, Features, Limits } from '@godwit/broker'
import type { BackupFolder } from '../backup-folder.js'
import { inPlace } from '../config/in-place.js'
import type { Resolved } from '../config/resolve.js'
import type { Config } from '../config/schema.js'
import { isTakenUp } from '../config/taken-up.js'
import type { BrokerLog } from '../log.js'
import { type LoopWatch, lineTargets } from '../plugins/loop-watch.js'
import type { Terminal } from '../terminal.js'
import { changedSettings } from './changed-settings.js'
import type { Prepared, Reloadable } from './reloading.js'

/** Limits, features and the interval of the `$SYS` topics. */
export function brokerPart(broker: Broker, started: Resolved): Reloadable {
  const ofBroker = ({ limits, features, sysIntervalSeconds }: Config) => ({ limits, features, sysIntervalSeconds })
  return partOf(started, ofBroker, (now) => {
    const { limits, features, sysIntervalSeconds } = now
    const { willsAfterRestart: _, ...others } = features // it is for a start
    const changes = { ...(others as Partial<Features>), limits: limits as Partial<Limits>, sysIntervalSeconds }
    return { commit: () => broker.reconfigure(changes), abandon: () => {} }
  })
}

/** What is logged, how, and where. */
export function logPart(log: BrokerLog, started: Resolved): Reloadable {
  return partOf(
    started,
    (config) => ({ log: config.log }),
    (now, next) => inPlace(next, ['log', 'file'], () => log.prepare(now.log)),
  )
}

/** Limits, for who comes in at the edge of a node of a cluster; what is served there is for the broker. */
export function edgePart(edge: Pick<Edge, 'reconfigure'>, started: Resolved): Reloadable {
  const ofEdge = ({ limits, features: { controlCharacters } }: Config) => ({ limits, features: { controlCharacters } })
  return partOf(started, ofEdge, ({ limits, features: { controlCharacters = false } }) => ({
    commit: () => edge.reconfigure({ limits: limits as Partial<Limits>, controlCharacters }),
    abandon: () => {},
  }))
}

/** Where the thread that watches for plugins that block tells it. */
export function watchPart(watch: Pick<LoopWatch, 'tellTo'>, terminal: Terminal, started: Resolved): Reloadable {
  return partOf(
    started,
    ({ log }) => ({ log }),
    ({ log }) => ({ commit: () => watch.tellTo(lineTargets(log, terminal)), abandon: () => {} }),
  )
}

/** Where backups are made. */
export function backupPart(backups: BackupFolder, started: Resolved): Reloadable {
  return partOf(
    started,
    ({ backup }) => ({ backup }),
    ({ backup }) => ({ commit: () => backups.moveTo(backup.directory), abandon: () => {} }),
  )
}

/**
 * A part that is made of settings alone: it has something to take up where they have changed.
 * @param of its settings, under their names.
 */
function partOf<Settings extends object>(
  started: Resolved,
  of: (config: Config) => Settings,
  ready: (settings: Settings, next: Resolved) => Omit<Prepared, 'reloaded'> | Promise<Omit<Prepared, 'reloaded'>>,
): Reloadable {
  let inForce = of(started.config)
  return {
    async prepare(next) {
      const settings = of(next.config)
      const reloaded = changedSettings(inForce, settings).filter(isTakenUp)
      if (reloaded.length === 0) return undefined
      const { commit, abandon } = await ready(settings, next)
      return {
        reloaded,
        commit: () => {
          inForce = settings
          return commit()
        },
        abandon,
      }
    },
  }
}
