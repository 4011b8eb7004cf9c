import { constants, createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { BrokerError, systemReason } from '../errors.js'
import type { TlsOptions } from './listen-options.js'
import { expiryOf } from './tls-expiry.js'

/** Of a client's TLS session. */
const defaultSessionSeconds = 7_200
const kinds = ['cert', 'key', 'ca', 'crl'] as const

/** Whether it is PEM itself, and not the path of a file. */
export const isPem = (text: string): boolean => text.includes('-----BEGIN')

/**
 * Reads the files, and tries whether they belong together.
 * @throws BrokerError `invalid-option`, naming what is wrong.
 */
export async function readTls(options: TlsOptions): Promise<SecureContextOptions> {
  const context = await readTlsFiles(options)
  tryPassphrase(options, String(context.key))
  try {
    createSecureContext(context)
    expiryOf(String(context.cert))
    return context
  } catch (error) {
    const { code, reason, message } = error as Error & { readonly code?: string; readonly reason?: string }
    throw new BrokerError('invalid-option', problemOf(options, code, reason ?? message), { cause: error })
  }
}

/** An encrypted key is opened by itself first: with a wrong passphrase OpenSSL gives one of several reasons, by chance. */
function tryPassphrase({ key: given, passphrase }: TlsOptions, key: string): void {
  if (!isEncrypted(key)) return
  const keyIs = named('tls.key', given)
  if (passphrase === undefined) {
    throw new BrokerError('invalid-option', `${keyIs} is encrypted; give tls.passphrase, or a key without one`)
  }
  try {
    createPrivateKey({ key, passphrase })
  } catch (error) {
    throw new BrokerError('invalid-option', `${keyIs} is not opened by tls.passphrase`, { cause: error })
  }
}

/** Either form of PEM: the key encrypted as a whole (PKCS #8), or its body (older ones). */
function isEncrypted(key: string): boolean {
  return key.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----') || key.includes('Proc-Type: 4,ENCRYPTED')
}

function problemOf({ cert, key }: TlsOptions, code: string | undefined, why: string): string {
  const [certIs, keyIs] = [named('tls.cert', cert), named('tls.key', key)]
  if (/KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH/.test(code ?? '')) {
    return `${keyIs} is not the key of the certificate in ${certIs}; name the key that was made for it, or make both anew`
  }
  if (/NO_START_LINE/.test(code ?? '') || why === 'no start line') {
    return `${certIs} has no certificate; name the file that begins with -----BEGIN CERTIFICATE-----`
  }
  if (/DECODER|UNSUPPORTED/.test(code ?? '') || why === 'unsupported') {
    return `${keyIs} has no private key that can be read; name the file that begins with -----BEGIN PRIVATE KEY-----`
  }
  return `tls: certificate, key, CA and CRL cannot be used together: ${why}`
}

function named(option: string, given: string | undefined): string {
  return given === undefined || isPem(given) ? option : `${option} (${given})`
}

async function readTlsFiles(options: TlsOptions): Promise<SecureContextOptions> {
  const read: Partial<Record<(typeof kinds)[number], string>> = {}
  for (const kind of kinds) {
    const given = [options[kind] ?? []].flat()
    const texts = await Promise.all(given.map((one) => (isPem(one) ? one : readPem(kind, one))))
    if (texts.length > 0) read[kind] = texts.join('\n')
  }
  const { sessionSeconds = defaultSessionSeconds } = options
  return {
    ...read,
    ...(sessionSeconds === 0
      ? { secureOptions: constants.SSL_OP_NO_TICKET } // nothing is kept here either, so there is nothing to go on with
      : { sessionTimeout: sessionSeconds }),
    minVersion: options.minVersion ?? 'TLSv1.2',
    honorCipherOrder: true,
    ...(options.passphrase !== undefined && { passphrase: options.passphrase }),
    ...(options.ciphers !== undefined && { ciphers: options.ciphers }),
  }
}

async function readPem(kind: string, path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    if (isPem(text)) return text
  } catch (error) {
    throw new BrokerError('invalid-option', `cannot read tls.${kind} ${path}: ${systemReason(error)}`, { cause: error })
  }
  throw new BrokerError('invalid-option', `tls.${kind} (${path}) is no PEM file; it begins with -----BEGIN`)
}

/** The paths of those that are no PEM themselves. */
export function tlsFilePaths(options: TlsOptions): readonly string[] {
  return kinds.flatMap((kind) => [options[kind] ?? []].flat()).filter((given) => !isPem(given))
}
