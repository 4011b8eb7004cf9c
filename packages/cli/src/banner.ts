import type { RecoveredCounts } from '@godwit/broker'
import { version } from './version.js'

/** Where a process is looked at. */
export interface WebFacts {
  /** The URL of the metrics; undefined: they are not shown. */
  readonly metrics?: string | undefined
  /** Where the console is, and for a person at a terminal with a login in it; undefined: it is not served. */
  readonly console?: { readonly url: string; readonly isLogin: boolean } | undefined
}

export interface BannerFacts extends WebFacts {
  /** In words, as `127.0.0.1:1883`. */
  readonly listeners: readonly string[]
  readonly who: 'anyone' | 'this machine' | 'authenticated'
  /** The data folder's path; undefined with `--data memory`. */
  readonly folder: string | undefined
  readonly recovered: RecoveredCounts
  /** It is one of several: what it acknowledges a majority of machines has. Default false. */
  readonly ofCluster?: boolean
}

const whoInWords = {
  anyone: 'ANYONE who can reach this address, without a password (--allow-anonymous)',
  'this machine': 'any program on this machine, without a password',
  authenticated: 'who can show who they are (auth in the configuration)',
}

/** What a person must know who starts a broker. Printed once it accepts connections. */
export function banner({ listeners, who, folder, recovered, ofCluster = false, ...web }: BannerFacts): string {
  const data = folder ?? 'in memory only (--data memory): all is forgotten when it ends'
  return `Godwit ${version}, an MQTT broker (3.1.1 and 5.0), listening on ${listeners.join(', ')}
  who may connect       ${whoInWords[who]}
  sessions, messages    ${data}${folder === undefined ? '' : found(recovered)}
  an acknowledgement    means ${ofCluster ? meaningInCluster : meaning(folder)}
${webLines(web)}`
}

/** Where one looks at it. */
export function webLines({ metrics, console }: WebFacts): string {
  const login = console?.isLogin ? ' (good once, for five minutes)' : ''
  return `${metrics === undefined ? '' : `  metrics and health    ${metrics}/metrics, /healthz, /readyz\n`}${
    console === undefined ? '' : `  console and HTTP API  ${console.url}${login}\n`
  }`
}

const meaningInCluster = '"on disk of a majority": the loss of one machine loses nothing'

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
