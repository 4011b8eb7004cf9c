import { invalidOption } from './errors.js'
import type { ServerAddress } from './server-address.js'
import { decodedPart } from './url-part.js'

/** The server of `unix:///path`; undefined for any other URL. Throws InvalidArgumentError. */
export function unixServer(text: string): ServerAddress | undefined {
  if (!/^unix:/i.test(text)) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (
    !url?.pathname.startsWith('/') ||
    url.pathname === '/' ||
    url.host !== '' ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw invalidOption(`'${text}' names no socket: use unix:///path, with %3F for '?' and %23 for '#'`)
  }
  const path = decodedPart(url.pathname, `'${text}'`)
  return { url: `unix://${url.pathname}`, transport: 'unix', host: '', port: 0, path, credentials: {} }
}
