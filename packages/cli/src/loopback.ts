import { isIPv4 } from 'node:net'

/** Whether only programs of this machine can reach what listens there. A name that is not known to be so is not. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
