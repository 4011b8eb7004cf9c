import { BlockList, isIPv4, isIPv6, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { BrokerError } from '../errors.js'
import { plainAddress } from '../network.js'
import type { Handshakes } from './handshakes.js'
import type { Peer } from './transport.js'

/** For whom a proxy connects; nothing where it connects for itself, as for a health check. */
interface ProxySource {
  readonly address?: string
  readonly port?: number
}

/** The header as far as it has come. */
export type ProxyHeader =
  | { readonly state: 'incomplete' }
  | { readonly state: 'broken'; readonly why: string }
  /** The bytes from `length` on are the client's. */
  | WholeProxyHeader

export interface WholeProxyHeader {
  readonly state: 'whole'
  readonly length: number
  readonly source: ProxySource
  /** What follows the addresses in version 2: type, length and value of further fields, one after another. */
  readonly fields: Buffer
}

/** Version 1 ends within 107 bytes, as its specification says. */
const most1 = 107
/** Of version 2, addresses and all further fields. The specification asks for 216 at least. */
const most2 = 2048

export const signature2: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const signature1 = Buffer.from('PROXY ', 'latin1')

const none = Buffer.alloc(0)
const incomplete: ProxyHeader = { state: 'incomplete' }
export const broken = (why: string): Extract<ProxyHeader, { state: 'broken' }> => ({ state: 'broken', why })

/** Reads the header at the beginning of `bytes`. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (beginsAs(bytes, signature2)) return parseVersion2(bytes)
  if (beginsAs(bytes, signature1)) return parse1(bytes)
  return broken('it does not begin with a PROXY header')
}

export const beginsAs = (bytes: Buffer, signature: Buffer): boolean => {
  const length = Math.min(bytes.length, signature.length)
  return bytes.subarray(0, length).equals(signature.subarray(0, length))
}

/** `PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883\r\n`, or `PROXY UNKNOWN …\r\n`. */
function parse1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, most1).indexOf('\r\n')
  if (end < 0) return bytes.length < most1 ? incomplete : broken('its PROXY line does not end')
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] = bytes
    .toString('latin1', 0, end)
    .split(' ')
  const length = end + 2
  if (family === 'UNKNOWN') return { state: 'whole', length, source: {}, fields: none }
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined
  const isSound = isAddress?.(source) && isAddress(destination) && isPort(sourcePort) && isPort(destinationPort)
  if (!isSound || rest.length > 0) return broken('its PROXY line is malformed')
  return { state: 'whole', length, source: { address: plainAddress(source), port: Number(sourcePort) }, fields: none }
}

const isPort = (text: string): boolean => /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535

/**
 * Signature, version and command, family, length of what follows; then addresses and fields.
 * @param most bytes of addresses and fields.
 */
export function parseVersion2(bytes: Buffer, most: number = most2): ProxyHeader {
  if (bytes.length < 16) return incomplete
  const [versionAndCommand = 0, family = 0] = bytes.subarray(12)
  const rest = bytes.readUInt16BE(14)
  if (versionAndCommand >> 4 !== 2 || (versionAndCommand & 15) > 1)
    return broken('its PROXY header is of no known version')
  if (rest > most) return broken(`its PROXY header has more than ${most} bytes`)
  const length = 16 + rest
  const isLocal = (versionAndCommand & 15) === 0
  const each = isLocal ? undefined : addressBytesOf.get(family)
  const addressBytes = each ? 2 * each + 4 : 0
  if (rest < addressBytes) return broken('its PROXY header is too short for its addresses')
  if (bytes.length < length) return incomplete
  const source = each ? sourceIn(bytes, each) : {}
  return {
    state: 'whole',
    length,
    source,
    fields: bytes.subarray(each === undefined ? length : 16 + addressBytes, length),
  }
}

/** By family; of others, as of Unix sockets, nothing is read. */
const addressBytesOf: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 4],
  [0x21, 16],
])

function sourceIn(bytes: Buffer, addressBytes: number): ProxySource {
  const address = addressBytes === 4 ? bytes.subarray(16, 20).join('.') : address6(bytes.subarray(16, 32))
  return { address, port: bytes.readUInt16BE(16 + 2 * addressBytes) }
}

/** As Node writes addresses, so that one client looks the same with and without a proxy. */
function address6(bytes: Buffer): string {
  return plainAddress(Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16)).join(':'))
}

/**
 * Takes a header off a stream that has read nothing yet; what follows it stays to be read. Who sends none, or ends before it is whole, is
 * turned away.
 */
export function readProxyHeader<T extends WholeProxyHeader>(
  stream: Duplex,
  socket: Socket,
  parse: (bytes: Buffer) => Exclude<ProxyHeader, WholeProxyHeader> | T,
  handshakes: Handshakes,
  onHeader: (header: T) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0)
  const stop = (): void => {
    stream.off('readable', onReadable)
    stream.off('end', onEnd)
    stream.off('close', onEnd)
  }
  const onEnd = (): void => {
    stop()
    handshakes.left(socket, 'proxy-header', 'it ended before its PROXY header did')
    socket.destroy()
  }
  const onReadable = (): void => {
    for (let chunk = stream.read() as Buffer | null; chunk; chunk = stream.read() as Buffer | null) {
      bytes = Buffer.concat([bytes, chunk])
      const header = parse(bytes)
      if (header.state === 'incomplete') continue
      stop()
      if (header.state === 'broken') return handshakes.refuse(socket, 'proxy-header', header.why)
      if (bytes.length > header.length) stream.unshift(bytes.subarray(header.length))
      return onHeader(header)
    }
  }
  stream.on('readable', onReadable)
  stream.on('end', onEnd)
  stream.on('close', onEnd)
}

/**
 * Who is a proxy.
 * @throws BrokerError `invalid-option`, for what is neither an address nor a network.
 */
export function proxies(from: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const entry of from) {
    const [address = '', bits, ...rest] = entry.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    const most = family === 'ipv4' ? 32 : 128
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
    if (rest.length > 0 || (family === 'ipv6' && !isIPv6(address)) || prefix < 0 || prefix > most) {
      throw new BrokerError(
        'invalid-option',
        `proxyProtocol.from has ${entry}; it takes addresses and networks as 10.0.0.0/8`,
      )
    }
    list.addSubnet(address, prefix, family)
  }
  return (address) => contains(list, address)
}

function contains(list: BlockList, address: string): boolean {
  const [plain = ''] = address.split('%') // without a zone
  if (isIPv4(plain)) return list.check(plain, 'ipv4')
  return isIPv6(plain) && list.check(plain, 'ipv6')
}

/**
 * The step for sockets of proxies: the header says for whom they come.
 * @param next what comes after it.
 * @param readsByItself whether that begins to read without being told, as TLS does.
 */
export function proxyStep(
  handshakes: Handshakes,
  next: (stream: Duplex, socket: Socket, peer: Peer) => void,
  readsByItself: boolean,
): (socket: Socket, peer: Peer) => void {
  return (socket, peer) =>
    readProxyHeader(socket, socket, parseProxyHeader, handshakes, ({ source, length }) => {
      const known = { ...peer, ...source }
      if (!handshakes.identified(socket, known.address, length)) return
      next(socket, socket, known)
      if (!readsByItself) socket.resume() // it was read by hand, so it would wait to be told
    })
}
