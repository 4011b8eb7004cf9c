import { unwatchFile, watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { SecureContextOptions } from 'node:tls'
import { BrokerError } from '../errors.js'
import type { TlsOptions } from './listen-options.js'

const kinds = ['cert', 'key', 'ca', 'crl'] as const

/** How often the files are looked at, and how long they must then be at rest: a certificate comes with its key. */
const lookMs = 1000
const restMs = 500

const isPem = (text: string): boolean => text.includes('-----BEGIN')

/**
 * Reads what TLS needs.
 * @throws BrokerError `invalid-option`, naming the file.
 */
export async function readTlsFiles(options: TlsOptions): Promise<SecureContextOptions> {
  const read: Partial<Record<(typeof kinds)[number], string>> = {}
  for (const kind of kinds) {
    const given = options[kind]
    if (given !== undefined) read[kind] = isPem(given) ? given : await readPem(kind, given)
  }
  return {
    ...read,
    minVersion: options.minVersion ?? 'TLSv1.2',
    honorCipherOrder: true,
    ...(options.passphrase !== undefined && { passphrase: options.passphrase }),
  }
}

async function readPem(kind: string, path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    if (isPem(text)) return text
  } catch (error) {
    throw new BrokerError('invalid-option', `cannot read tls.${kind}: ${(error as Error).message}`, { cause: error })
  }
  throw new BrokerError('invalid-option', `tls.${kind} (${path}) is no PEM file; it begins with -----BEGIN`)
}

/**
 * Calls back some time after one of the files has changed; the function returned ends that. Looking at the paths finds
 * what a watch on the files would miss: one put in another's place, a symbolic link turned round.
 */
export function watchTlsFiles(options: TlsOptions, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const onLook = (): void => {
    clearTimeout(timer)
    timer = setTimeout(changed, restMs).unref()
  }
  const paths = kinds.flatMap((kind) => (options[kind] !== undefined && !isPem(options[kind]) ? [options[kind]] : []))
  for (const path of paths) watchFile(path, { interval: lookMs, persistent: false }, onLook)
  return () => {
    clearTimeout(timer)
    for (const path of paths) unwatchFile(path, onLook)
  }
}
