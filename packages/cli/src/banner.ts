import type { RecoveredCounts } from '@godwit/broker'
import { isLoopback } from './loopback.js'
import { version } from './version.js'

export interface BannerFacts {
  readonly doors: readonly { readonly host: string; readonly port: number }[]
  /** The data folder's path; undefined with `--data memory`. */
  readonly folder: string | undefined
  readonly recovered: RecoveredCounts
}

/** What a person must know who starts a broker. Printed once it accepts connections. */
export function banner({ doors, folder, recovered }: BannerFacts): string {
  const addresses = doors.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`))
  const who = doors.every(({ host }) => isLoopback(host))
    ? 'any program on this machine, without a password'
    : 'ANYONE who can reach this address, without a password (--allow-anonymous)'
  const data = folder ?? 'in memory only (--data memory): all is forgotten when it ends'
  return `Godwit ${version}, an MQTT broker (3.1.1 and 5.0), listening on ${addresses.join(', ')}
  who may connect       ${who}
  sessions, messages    ${data}${folder === undefined ? '' : found(recovered)}
  an acknowledgement    means ${meaning(folder)}
`
}

function found({ sessions, queued, retained, wills }: RecoveredCounts): string {
  if (sessions + queued + retained + wills === 0) return ', nothing there yet'
  const published = wills > 0 ? `, ${wills} wills published` : ''
  return `, found ${sessions} sessions, ${queued} messages that wait, ${retained} retained${published}`
}

function meaning(folder: string | undefined): string {
  return folder === undefined
    ? '"in memory": a crash or a power cut loses the message'
    : '"on disk": neither a crash nor a power cut loses the message'
}
