import { aBoolean, aString, type Check, called, is, objectOf, oneOf, optionTable } from './option-checks.js'
import type { TlsOptions } from './tls-options.js'

/** Of certificates and keys. */
const oneOrMorePems: Check = is(
  (value) => (Array.isArray(value) ? value : [value]).every(isPem),
  'a string, bytes, or a list of them',
)
const aPem: Check = is(isPem, 'a string or bytes')
const oneOrMoreStrings: Check = is(
  (value) => (Array.isArray(value) ? value : [value]).every((each) => typeof each === 'string'),
  'a string or a list of strings',
)

/** Looks at the option `tls` of connect(). */
export const tlsCheck: Check = objectOf(
  optionTable<TlsOptions>(
    {
      ca: oneOrMorePems,
      cert: aPem,
      key: aPem,
      passphrase: aString,
      alpn: oneOrMoreStrings,
      servername: aString,
      rejectUnauthorized: aBoolean,
      checkServername: aBoolean,
      minVersion: oneOf('TLSv1.2', 'TLSv1.3'),
    },
    {
      ALPNProtocols: called('tls.alpn'),
      checkServerIdentity: 'use tls.servername, or tls.checkServername: false',
      pfx: 'use tls.cert and tls.key, in PEM form',
    },
  ),
)

function isPem(value: unknown): boolean {
  return typeof value === 'string' || value instanceof Uint8Array
}
