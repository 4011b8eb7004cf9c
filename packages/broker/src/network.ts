import { isIPv4, isIPv6 } from 'node:net'

/**
 * An address as it is shown, compared and counted: IPv6 in its short form (RFC 5952), and IPv4 as IPv4, also where a proxy, or a socket
 * that listens for both, tells it in the form of IPv6 (`::ffff:192.0.2.7`). Every address passes here once, where it comes in. What is
 * no address stays as it is.
 */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address
  const [plain = '', zone] = address.split('%')
  if (!isIPv6(plain)) return address
  const groups = groupsOf(plain)
  if (isWithin(groups, mapped)) return embedded4(groups)
  const short = new URL(`http://[${plain}]`).hostname.slice(1, -1)
  return zone === undefined ? short : `${short}%${zone}`
}

/**
 * What counts as one party: an address of IPv4, or the /64 of one of IPv6, for whoever has one address there has 2^64. A
 * translator that stands between IPv4 and us (RFC 6052) puts all of IPv4 into one /64: there it is the address within.
 */
export function networkOf(address: string): string {
  const [plain = ''] = plainAddress(address).split('%')
  if (!isIPv6(plain)) return plain
  const groups = groupsOf(plain)
  if (isWithin(groups, translated)) return embedded4(groups)
  return hex(groups.slice(0, 4))
}

/** Whether it is a loopback address, or none at all: a Unix socket, a stream of this process. */
export function isOfThisMachine(address: string): boolean {
  return address === '' || isLoopback(address)
}

/** Whether only programs of this machine reach that address or host name. A name that is not known to be so is not. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const address = plainAddress(host)
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'))
}

/** The first 96 bits of IPv4 in IPv6: as the kernel writes it (RFC 4291), and as translators do. */
const mapped: readonly number[] = [0, 0, 0, 0, 0, 0xffff]
const translated: readonly number[] = [0x64, 0xff9b, 0, 0, 0, 0]

const isWithin = (groups: readonly number[], prefix: readonly number[]): boolean =>
  prefix.every((group, at) => groups[at] === group)

const embedded4 = ([, , , , , , high = 0, low = 0]: readonly number[]): string =>
  [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')

const hex = (groups: readonly number[]): string => groups.map((group) => group.toString(16)).join(':')

/** The eight groups of an address of IPv6, however it is written. */
function groupsOf(address: string): readonly number[] {
  const inHex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number)
    return hex([(a << 8) | b, (c << 8) | d])
  })
  const [head = '', tail] = inHex.split('::')
  const numbers = (text: string | undefined): number[] =>
    text ? text.split(':').map((group) => Number.parseInt(group, 16)) : []
  const [first, last] = [numbers(head), numbers(tail)]
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}
