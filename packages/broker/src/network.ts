import { isIPv6 } from 'node:net'

/** What counts as one party: an address of IPv4, or the /64 of one of IPv6, for whoever has one address there has 2^64. */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%') // without a zone
  if (!isIPv6(plain)) return plain
  if (plain.startsWith('::ffff:') && plain.includes('.')) return plain.slice('::ffff:'.length)
  const [head = '', tail] = plain.split('::')
  const [first, last] = [head === '' ? [] : head.split(':'), tail ? tail.split(':') : []]
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length
  return [...first, ...Array.from({ length: zeros }, () => '0'), ...last].slice(0, 4).join(':')
}

/** Whether it is a loopback address, or none at all: a Unix socket, a stream of this process. */
export function isOfThisMachine(address: string): boolean {
  return address === '' || address === '::1' || networkOf(address).startsWith('127.')
}
