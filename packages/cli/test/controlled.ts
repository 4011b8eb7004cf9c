import type { Users } from '@godwit/admin/parts'
import type { Broker } from '@godwit/broker'
import { BackupFolder } from '../src/backup-folder.js'
import type { ControlledBroker } from '../src/control/control-requests.js'

const refuse = (): Promise<never> => Promise.reject(new Error('there is none here'))
const noUsers: Users = { list: refuse, set: refuse, remove: refuse }

/** A broker with what its control socket needs besides: by default nothing that does anything. */
export function controlled(broker: Broker, parts: Partial<ControlledBroker> = {}): ControlledBroker {
  return {
    broker,
    listeners: () => [],
    reload: async () => ({ ok: true, reloaded: [], needsRestart: [] }),
    users: noUsers,
    backups: new BackupFolder(undefined, undefined),
    loginLink: () => undefined,
    bridges: { views: [] },
    plugins: { views: [] },
    log: { log() {} },
    ...parts,
  }
}
