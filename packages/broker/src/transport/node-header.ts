import { isIPv4, isIPv6 } from 'node:net'
import type { ClientCertificate } from '../client-certificate.js'
import {
  beginsAs,
  broken,
  type ProxyHeader,
  parseVersion2,
  signature2,
  type WholeProxyHeader,
} from './proxy-protocol.js'
import { agreed } from './tls.js'
import type { Peer } from './transport.js'

/** Of the range that the PROXY protocol leaves to applications (0xE0 to 0xEF). */
const peerField = 0xe0
/** Of addresses and fields: a certificate may have many names. */
const most = 16_384

/** What a node says of a client that it passes on, as far as it has come. */
type NodeHeader = Exclude<ProxyHeader, WholeProxyHeader> | (WholeProxyHeader & { readonly peer: Peer })

/** As it is in the field; the address and the port are in the header itself. */
type Said = Omit<Peer, 'address' | 'port'>

/**
 * What a node says to another of a client that it passes on: a header of the PROXY protocol, version 2, with one field for all that
 * addresses do not tell. A stranger who reads the header as such still finds the address.
 * @returns `undefined` where that would be more than a node reads: a certificate with hundreds of names.
 */
export function nodeHeader({ address, port = 0, ...said }: Peer): Buffer | undefined {
  const value = Buffer.from(JSON.stringify(said satisfies Said))
  const where = addressesOf(address, port)
  const rest = where.bytes.length + 3 + value.length
  if (rest > most) return undefined
  const header = Buffer.alloc(16 + rest)
  signature2.copy(header)
  header.writeUInt8(0x21, 12)
  header.writeUInt8(where.family, 13)
  header.writeUInt16BE(rest, 14)
  where.bytes.copy(header, 16)
  header.writeUInt8(peerField, 16 + where.bytes.length)
  header.writeUInt16BE(value.length, 17 + where.bytes.length)
  value.copy(header, 19 + where.bytes.length)
  return header
}

/** The client's; of what it came to the header has nothing to tell, which is all zeros. */
function addressesOf(address: string, port: number): { readonly family: number; readonly bytes: Buffer } {
  const [plain = ''] = address.split('%') // a zone means nothing on another machine
  if (isIPv4(plain)) {
    const bytes = Buffer.alloc(12)
    bytes.set(plain.split('.').map(Number))
    bytes.writeUInt16BE(port, 8)
    return { family: 0x11, bytes }
  }
  if (isIPv6(plain)) {
    const bytes = Buffer.alloc(36)
    bytes.set(bytesOf6(plain))
    bytes.writeUInt16BE(port, 32)
    return { family: 0x21, bytes }
  }
  return { family: 0, bytes: Buffer.alloc(0) }
}

function bytesOf6(address: string): Buffer {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string | undefined): number[] =>
    text ? text.split(':').map((group) => Number.parseInt(group, 16)) : []
  const [first, last] = [groups(head), groups(tail)]
  const bytes = Buffer.alloc(16)
  for (const [at, group] of first.entries()) bytes.writeUInt16BE(group, 2 * at)
  for (const [at, group] of last.entries()) bytes.writeUInt16BE(group, 16 - 2 * (last.length - at))
  return bytes
}

/** Reads what a node says at the beginning of `bytes`; it has shown who it is, and is held to the form all the same. */
export function parseNodeHeader(bytes: Buffer): NodeHeader {
  if (!beginsAs(bytes, signature2)) return broken('it does not begin with a PROXY header of version 2')
  const header = parseVersion2(bytes, most)
  if (header.state !== 'whole') return header
  const said = saidIn(header.fields)
  if (!said) return broken('its PROXY header does not say what client it passes on')
  return { ...header, peer: { address: '', ...header.source, ...said } }
}

/** Of fields it does not know it asks nothing: a node of a later version may send them. */
function saidIn(fields: Buffer): Said | undefined {
  for (let at = 0; at + 3 <= fields.length; ) {
    const end = at + 3 + fields.readUInt16BE(at + 1)
    if (end > fields.length) return undefined
    if (fields[at] === peerField) return checked(fields.toString('utf8', at + 3, end))
    at = end
  }
  return undefined
}

function checked(text: string): Said | undefined {
  const { transport, listener, tls, certificate } = objectIn(text) ?? {}
  if (typeof transport !== 'string' || !/^[a-z]{1,16}$/.test(transport) || !isTextOrNone(listener)) return undefined
  const [agreement, shown] = [tls === undefined ? undefined : agreementIn(tls), certificateIn(certificate)]
  if (agreement === null || shown === null) return undefined
  return {
    transport,
    ...(listener !== undefined && { listener }),
    ...(agreement && { tls: agreement }),
    ...(shown && { certificate: shown }),
  }
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** `null`: it is malformed. */
function agreementIn(tls: unknown): Peer['tls'] | null {
  if (!isObject(tls) || typeof tls.protocol !== 'string' || typeof tls.cipher !== 'string') return null
  return agreed(tls.protocol, tls.cipher)
}

/** `undefined`: there is none; `null`: it is malformed. */
function certificateIn(value: unknown): ClientCertificate | undefined | null {
  if (value === undefined) return undefined
  if (!isObject(value)) return null
  const { subject, commonName, altNames, fingerprint } = value
  const areNames = Array.isArray(altNames) && altNames.every((name) => typeof name === 'string')
  if (typeof subject !== 'string' || typeof fingerprint !== 'string' || !isTextOrNone(commonName) || !areNames)
    return null
  return { subject, commonName, altNames: altNames as string[], fingerprint }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTextOrNone = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string'
