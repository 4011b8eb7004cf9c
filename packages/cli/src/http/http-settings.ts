import { join } from 'node:path'
import type { SecureContextOptions } from 'node:tls'
import { readTls } from '@godwit/broker'
import { CommandError } from '../command-error.js'
import type { Config } from '../config/schema.js'
import { isLoopback } from '../loopback.js'
import { type MonitoringAddress, monitoringAddress } from '../monitoring/monitoring-address.js'
import { fileText } from '../secret-files.js'

/** The file of tokens, in the data folder. */
export const tokensFileName = 'http-tokens.json'

/** Where the HTTP API is served; undefined: nowhere. */
export function httpAddress({ http: { listen } }: Pick<Config, 'http'>): MonitoringAddress | undefined {
  return listen === false || listen === 'none' ? undefined : monitoringAddress(String(listen))
}

/** The file of its tokens; undefined: there is none, and links alone log in. */
export function tokensFileOf({ http: { tokensFile }, data }: Config): string | undefined {
  return tokensFile ?? (data === 'memory' ? undefined : join(data, tokensFileName))
}

/**
 * Other machines reach it only over TLS, unless the person who starts it says otherwise.
 * @throws CommandError
 */
export function checkHttp(config: Config): void {
  const address = httpAddress(config)
  const { tls, allowInsecure } = config.http
  if (!address || tls || allowInsecure || isLoopback(address.host)) return
  throw new CommandError(
    `http.listen ${address.host} can be reached by other machines, and tokens would go there without TLS; configure http.tls, or say http.allowInsecure: true behind a proxy that has it`,
  )
}

/**
 * What the server needs to speak TLS; undefined: it does not.
 * @throws CommandError, BrokerError for files that cannot be used.
 */
export async function httpTls({ http: { tls } }: Config): Promise<SecureContextOptions | undefined> {
  if (!tls) return undefined
  const { cert, key, minVersion, passphrase: given, passphraseFile } = tls
  const passphrase =
    given ?? (passphraseFile === undefined ? undefined : fileText(passphraseFile, 'http.tls.passphraseFile').trim())
  return readTls({ cert, key, minVersion, ...(passphrase !== undefined && { passphrase }) })
}
