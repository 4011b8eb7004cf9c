import { readFileSync } from 'node:fs'
import { type BridgeOptions, checkBridge } from '@godwit/bridge'
import type { Logger } from '@godwit/broker'
import type { ConnectOptions, ProtocolVersion, TlsOptions } from '@godwit/client'
import { CommandError } from '../command-error.js'
import type { BridgeConfig } from '../config/bridge-schema.js'
import { inPlace } from '../config/in-place.js'
import type { Resolved } from '../config/resolve.js'
import { dialThrough, proxy } from '../proxy.js'
import { systemProblem } from '../system-problem.js'

/**
 * What the configuration asks for, with the files that it names.
 * @throws CommandError with the place of what is wrong.
 */
export function bridgeOptions(settings: Resolved, at: number, log: Logger): Promise<BridgeOptions> {
  return inPlace(settings, ['bridges', at], () => {
    const options = optionsOf(settings.config.bridges[at]!, log)
    try {
      checkBridge(options)
    } catch (error) {
      throw new CommandError((error as Error).message)
    }
    return options
  })
}

function optionsOf(config: BridgeConfig, log: Logger): BridgeOptions {
  const { version, tls, proxy: way, password, passwordFrom, expirySeconds, url, reconnect, state, ...same } = config
  const secret = password ?? (passwordFrom === undefined ? undefined : firstLine('passwordFrom', passwordFrom))
  return {
    ...defined(same),
    url,
    log,
    expirySeconds: expirySeconds === 'never' ? Number.POSITIVE_INFINITY : expirySeconds,
    ...(state !== undefined && { state: state === false ? false : defined(state) }),
    ...(reconnect && { reconnect }),
    ...(secret !== undefined && { password: secret }),
    ...(version !== undefined && { version: versionOf(version), fallback: false }),
    ...(tls && { tls: tlsOf(tls) }),
    ...(way !== undefined && { dial: dialOf(way) }),
  }
}

function versionOf(given: NonNullable<BridgeConfig['version']>): ProtocolVersion {
  const versions: Readonly<Record<string, ProtocolVersion>> = { 5: 5, '5.0': 5, 4: 4, '3.1.1': 4, 3: 3, 3.1: 3 }
  return versions[String(given)] ?? 5
}

function tlsOf({ ca, cert, key, passphrase, passphraseFile, ...same }: NonNullable<BridgeConfig['tls']>): TlsOptions {
  const phrase =
    passphrase ?? (passphraseFile === undefined ? undefined : firstLine('tls.passphraseFile', passphraseFile))
  return {
    ...defined(same),
    ...(ca !== undefined && { ca: [ca].flat().map((file) => read('tls.ca', file)) }),
    ...(cert !== undefined && { cert: read('tls.cert', cert) }),
    ...(key !== undefined && { key: read('tls.key', key) }),
    ...(phrase !== undefined && { passphrase: phrase }),
  }
}

function dialOf(way: string): NonNullable<ConnectOptions['dial']> {
  try {
    return dialThrough(proxy(way))
  } catch (error) {
    throw new CommandError(`proxy: ${(error as Error).message}`)
  }
}

function firstLine(name: string, file: string): string {
  return read(name, file).split(/\r?\n/)[0] ?? ''
}

function read(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(
      `cannot read ${name} ${file}: ${systemProblem(error)}; name a file that is there, as an absolute path or relative to the configuration`,
    )
  }
}

/** Without what is left out: an option of the bridge is there or not. */
function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
