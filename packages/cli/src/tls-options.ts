import { readdirSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import type { TlsOptions } from '@godwit/client'
import { oneOf } from './argument-values.js'
import { CommandError } from './command-error.js'
import type { CommandLine } from './manual.js'
import { systemProblem } from './system-problem.js'

/** The flags about certificates, as people know them from mosquitto_pub and mosquitto_sub. */
export interface TlsFlags {
  readonly cafile?: string
  readonly capath?: string
  readonly cert?: string
  readonly key?: string
  readonly insecure?: true
  readonly tlsAlpn?: string
  readonly tlsVersion?: (typeof tlsVersions)[number]
}

const tlsVersions = ['tlsv1.2', 'tlsv1.3'] as const

export function addTlsOptions(command: CommandLine): CommandLine {
  return command
    .option(
      '--cafile <file>',
      'certificates that may have signed that of the server (PEM); turns TLS on, as do the next',
    )
    .option('--capath <folder>', 'the same, a folder of them')
    .option('--cert <file>', 'certificate of this client (PEM); needs --key')
    .option('--key <file>', 'its key (PEM)')
    .option('--insecure', "take a certificate that is for another name than the server's")
    .option('--tls-alpn <protocol>', 'protocol to ask for in TLS, such as mqtt')
    .option('--tls-version <version>', 'the oldest to speak: tlsv1.2 (default) or tlsv1.3', oneOf(tlsVersions))
}

/**
 * What the flags ask for; undefined where none is given.
 * @throws CommandError for flags that do not go together, and for a file that cannot be read or is something else.
 */
export function tlsOf(flags: TlsFlags): TlsOptions | undefined {
  const { cafile, capath, cert, key, insecure, tlsAlpn, tlsVersion } = flags
  const given = [cafile, capath, cert, key, insecure, tlsAlpn, tlsVersion]
  if (given.every((value) => value === undefined)) return undefined
  if (cert !== undefined && key === undefined)
    throw new CommandError('--cert needs the key of that certificate; add --key')
  if (key !== undefined && cert === undefined) throw new CommandError('--key needs its certificate; add --cert')
  const authorities = [
    ...(cafile === undefined ? [] : [pem('--cafile', cafile, certificate)]),
    ...(capath === undefined ? [] : certificatesIn(capath)),
  ]
  return {
    ...(authorities.length > 0 && { ca: authorities }),
    ...(cert !== undefined && { cert: pem('--cert', cert, certificate) }),
    ...(key !== undefined && { key: openKey(key) }),
    ...(insecure && { checkServername: false }),
    ...(tlsAlpn !== undefined && { alpn: tlsAlpn }),
    ...(tlsVersion !== undefined && { minVersion: tlsVersion === 'tlsv1.3' ? 'TLSv1.3' : 'TLSv1.2' }),
  }
}

/** The same for a socket of Node's. */
export function nodeTls(tls: TlsOptions | undefined, host: string): ConnectionOptions {
  const { ca, cert, key, alpn, minVersion, checkServername = true } = tls ?? {}
  return {
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca: ca as string[] }),
    ...(cert !== undefined && { cert: cert as string, key: key as string }),
    ...(alpn !== undefined && { ALPNProtocols: [alpn].flat() }),
    ...(minVersion !== undefined && { minVersion }),
    ...(!checkServername && { checkServerIdentity: () => undefined }),
  }
}

const certificate = { name: 'certificate', begin: /-----BEGIN [\w ]*CERTIFICATE-----/ }
const privateKey = { name: 'key', begin: /-----BEGIN [\w ]*PRIVATE KEY-----/ }

function pem(flag: string, path: string, what: typeof certificate): string {
  const text = read(flag, path)
  if (what.begin.test(text)) return text
  throw new CommandError(`${flag}: ${path} has no ${what.name} in PEM form; name another file`)
}

function openKey(path: string): string {
  const text = pem('--key', path, privateKey)
  if (!/ENCRYPTED/.test(text)) return text
  throw new CommandError(`--key: ${path} is encrypted; make one that is not: openssl pkey -in ${path} -out FILE`)
}

/** As `openssl rehash` and Debian leave them: `name.pem`, `name.crt` and `1a2b3c4d.0`. */
function certificatesIn(folder: string): string[] {
  const names = tryTo('--capath', folder, () => readdirSync(folder))
  const texts = names
    .filter((name) => /\.(pem|crt|\d+)$/.test(name))
    .map((name) => read('--capath', join(folder, name)))
  // Many files stand there under two names.
  const found = [...new Set(texts)].filter((text) => certificate.begin.test(text))
  if (found.length > 0) return found
  throw new CommandError(
    `--capath: ${folder} has no certificates in PEM form, in files such as ca.pem; name another folder`,
  )
}

function read(flag: string, path: string): string {
  return tryTo(flag, path, () => readFileSync(path, 'utf8'))
}

function tryTo<T>(flag: string, path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new CommandError(`cannot read ${path}: ${systemProblem(error)}; name another with ${flag}`)
  }
}
