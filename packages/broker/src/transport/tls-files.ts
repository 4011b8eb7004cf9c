import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { BrokerError, systemReason } from '../errors.js'
import type { TlsOptions } from './listen-options.js'
import { expiryOf } from './tls-expiry.js'

const kinds = ['cert', 'key', 'ca', 'crl'] as const

/** Whether it is PEM itself, and not the path of a file. */
export const isPem = (text: string): boolean => text.includes('-----BEGIN')

/**
 * Reads the files, and tries whether they belong together.
 * @throws BrokerError `invalid-option`, naming what is wrong.
 */
export async function readTls(options: TlsOptions): Promise<SecureContextOptions> {
  const context = await readTlsFiles(options)
  try {
    createSecureContext(context)
    expiryOf(String(context.cert))
    return context
  } catch (error) {
    const { code, reason, message } = error as Error & { readonly code?: string; readonly reason?: string }
    const why =
      code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' ? 'the key is not that of the certificate' : (reason ?? message)
    throw new BrokerError('invalid-option', `tls: certificate, key, CA and CRL cannot be used together: ${why}`, {
      cause: error,
    })
  }
}

async function readTlsFiles(options: TlsOptions): Promise<SecureContextOptions> {
  const read: Partial<Record<(typeof kinds)[number], string>> = {}
  for (const kind of kinds) {
    const given = [options[kind] ?? []].flat()
    const texts = await Promise.all(given.map((one) => (isPem(one) ? one : readPem(kind, one))))
    if (texts.length > 0) read[kind] = texts.join('\n')
  }
  return {
    ...read,
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
