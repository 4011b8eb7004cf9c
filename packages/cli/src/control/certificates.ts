import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { TlsOptions } from '@godwit/broker'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'

/**
 * Reads what a listener needs for TLS, and tries whether it belongs together.
 * @throws CommandError
 */
export function tryCertificates({ cert, key, ca, crl, passphrase }: TlsOptions): void {
  const files = Object.entries({ cert, key, ca, crl }).filter((entry): entry is [string, string] => !!entry[1])
  const read = Object.fromEntries(files.map(([name, value]) => [name, pemOf(name, value)]))
  try {
    createSecureContext({ ...read, ...(passphrase !== undefined && { passphrase }) })
  } catch (error) {
    const names = files.map(([name, value]) => `${name} (${isPem(value) ? 'in place' : value})`).join(', ')
    throw new CommandError(`tls: ${names} cannot be used together: ${(error as Error).message}`)
  }
}

const isPem = (text: string): boolean => text.includes('-----BEGIN')

function pemOf(name: string, value: string): string {
  if (isPem(value)) return value
  try {
    return readFileSync(value, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read tls.${name} ${value}: ${systemProblem(error)}`)
  }
}
