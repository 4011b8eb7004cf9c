import type { ListenOptions } from '@godwit/broker'
import type { Config } from './config/schema.js'
import { said } from './said.js'
import { fileText } from './secret-files.js'

export type ConfiguredListener = Config['listeners'][number]

const defaultPorts = { mqtt: 1883, mqtts: 8883, ws: 8083, wss: 8084 }

/**
 * What the broker is told of a listener of the configuration.
 * @param name what hooks and logs call it.
 * @param allowAnonymous whether anybody may come in there.
 * @throws CommandError for a file that cannot be read.
 */
export function listenOptions(listener: ConfiguredListener, name: string, allowAnonymous: boolean): ListenOptions {
  const { protocol, host, port, socket, socketMode, path, origins, proxyProtocol, tls } = listener
  const { handshakeTimeoutMs, maxHandshakes } = listener
  const mode = socketMode === undefined ? undefined : Number.parseInt(socketMode, 8)
  const where = socket === undefined ? { host, port } : { path: socket, mode }
  return said({
    ...where,
    name,
    allowAnonymous,
    tls: tls && tlsOptions(tls),
    websocket: protocol.startsWith('ws') ? said({ path, origins }) : undefined,
    proxyProtocol: proxyProtocol && { from: proxyProtocol },
    handshakeTimeoutMs,
    maxHandshakes,
  }) as ListenOptions
}

function tlsOptions({ passphraseFile, ...tls }: NonNullable<ConfiguredListener['tls']>): object {
  if (passphraseFile === undefined) return said(tls)
  return said({ ...tls, passphrase: fileText(passphraseFile, 'tls.passphraseFile').trim() })
}

/** The port that it asks for. */
export function portOf({ port, protocol }: ConfiguredListener): number {
  return port ?? defaultPorts[protocol]
}

/** A listener in words: `127.0.0.1:1883`, `mqtts 0.0.0.0:8883`, `/run/godwit.sock`. */
export function listenerName({ protocol, host, socket }: ConfiguredListener, port: number): string {
  const address = socket ?? (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
  return protocol === 'mqtt' ? address : `${protocol} ${address}`
}

/** A name for each listener before it is open, none twice. */
export function listenerNames(listeners: readonly ConfiguredListener[]): readonly string[] {
  const names: string[] = []
  for (const one of listeners) {
    const name = one.name ?? listenerName(one, portOf(one))
    const again = names.filter((other) => other === name || other.startsWith(`${name} #`)).length
    names.push(again === 0 ? name : `${name} #${again + 1}`)
  }
  return names
}
