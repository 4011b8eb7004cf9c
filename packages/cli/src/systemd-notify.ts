import { execFile } from 'node:child_process'
import type { Logger } from '@godwit/broker'

/**
 * Tells systemd how this service is (`Type=notify`, sd_notify(3)); nothing where systemd does not want to know. Node has no
 * datagram sockets in the file system, so `systemd-notify` says it, which the unit allows with `NotifyAccess=all`; it
 * returns when systemd has taken it.
 */
export function systemdNotify(
  state: 'READY=1' | 'STOPPING=1',
  log: Logger,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  if (!env.NOTIFY_SOCKET) return Promise.resolve()
  return new Promise((resolve) => {
    execFile('systemd-notify', [state], { env, timeout: 10_000 }, (error, _stdout, stderr) => {
      if (error) {
        const why = stderr.trim() || error.message
        log.log('warn', `systemd was not told ${state}; with Type=exec in the unit it need not be`, { error: why })
      }
      resolve()
    })
  })
}
