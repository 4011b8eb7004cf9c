import type { ListenOptions } from '@godwit/broker'
import type { Config } from './config/schema.js'

export type Door = Config['listeners'][number]

/** What the broker is told of a listener of the configuration. */
export function listenOptions(door: Door): ListenOptions {
  const { protocol, host, port, socket, path, origins, proxyProtocol } = door
  const where = socket === undefined ? { host, ...(port !== undefined && { port }) } : { path: socket }
  return {
    ...where,
    ...(door.tls && { tls: given(door.tls) }),
    ...(protocol.startsWith('ws') && { websocket: given({ path, origins }) }),
    ...(proxyProtocol && { proxyProtocol: { from: proxyProtocol } }),
  } as ListenOptions
}

/** Without what was not said. */
function given(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** An open door in words: `127.0.0.1:1883`, `mqtts 0.0.0.0:8883`, `/run/godwit.sock`. */
export function doorName({ protocol, host, socket }: Door, port: number): string {
  const address = socket ?? (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
  return protocol === 'mqtt' ? address : `${protocol} ${address}`
}
