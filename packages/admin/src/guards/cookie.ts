import { parse, serialize } from 'hono/utils/cookie'

/** Cookies are not separated by port, so the port is in the name. */
function nameOf(request: Request): string {
  const { port, protocol } = new URL(request.url)
  const [, given] = /:(\d+)$/.exec(request.headers.get('host') ?? '') ?? []
  return `godwit-${given ?? (port || (protocol === 'https:' ? '443' : '80'))}`
}

export function cookieOf(request: Request): string | undefined {
  const name = nameOf(request)
  return parse(request.headers.get('cookie') ?? '', name)[name]
}

/** @param value empty: the browser shall forget it. @param maxAgeSeconds until it does. */
export function setCookie(request: Request, value: string, maxAgeSeconds: number, secure: boolean): string {
  return serialize(nameOf(request), value, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    maxAge: Math.max(0, Math.floor(maxAgeSeconds)),
    secure,
  })
}
