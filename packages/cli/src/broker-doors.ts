import type { ListenOptions } from '@godwit/broker'
import type { Config } from './config/schema.js'
import { fileText } from './secret-files.js'

export type Door = Config['listeners'][number]

const defaultPorts = { mqtt: 1883, mqtts: 8883, ws: 8083, wss: 8084 }

/**
 * What the broker is told of a listener of the configuration.
 * @param name what hooks and logs call it.
 * @param allowAnonymous whether anybody may come in there.
 * @throws CommandError for a file that cannot be read.
 */
export function listenOptions(door: Door, name: string, allowAnonymous: boolean): ListenOptions {
  const { protocol, host, port, socket, socketMode, path, origins, proxyProtocol, tls } = door
  const { handshakeTimeoutMs, maxHandshakes } = door
  const mode = socketMode === undefined ? undefined : Number.parseInt(socketMode, 8)
  const where = socket === undefined ? { host, port } : { path: socket, mode }
  return given({
    ...where,
    name,
    allowAnonymous,
    tls: tls && tlsOptions(tls),
    websocket: protocol.startsWith('ws') ? given({ path, origins }) : undefined,
    proxyProtocol: proxyProtocol && { from: proxyProtocol },
    handshakeTimeoutMs,
    maxHandshakes,
  }) as ListenOptions
}

function tlsOptions({ passphraseFile, ...tls }: NonNullable<Door['tls']>): object {
  if (passphraseFile === undefined) return given(tls)
  return given({ ...tls, passphrase: fileText(passphraseFile, 'tls.passphraseFile').trim() })
}

/** Without what was not said. */
function given(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** The port that it asks for. */
export function portOf({ port, protocol }: Door): number {
  return port ?? defaultPorts[protocol]
}

/** An open door in words: `127.0.0.1:1883`, `mqtts 0.0.0.0:8883`, `/run/godwit.sock`. */
export function doorName({ protocol, host, socket }: Door, port: number): string {
  const address = socket ?? (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
  return protocol === 'mqtt' ? address : `${protocol} ${address}`
}

/** A name for each listener before it is open, none twice. */
export function doorNames(doors: readonly Door[]): readonly string[] {
  const names: string[] = []
  for (const door of doors) {
    const name = door.name ?? doorName(door, portOf(door))
    const again = names.filter((other) => other === name || other.startsWith(`${name} #`)).length
    names.push(again === 0 ? name : `${name} #${again + 1}`)
  }
  return names
}
