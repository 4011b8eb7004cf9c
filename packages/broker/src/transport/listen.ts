import { chmodSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import type { Descriptors } from '../descriptors.js'
import type { Drops } from '../drops.js'
import { BrokerError } from '../errors.js'
import type { Limits } from '../limits.js'
import type { Logger } from '../log.js'
import type { Metrics } from '../metrics.js'
import { isLoopback, plainAddress } from '../network.js'
import { bind, defaultMode } from './bind.js'
import { DuplexTransport, LayeredTransport } from './duplex.js'
import { Handshakes } from './handshakes.js'
import { checkListenOptions, type ListenOptions, type UnixOptions } from './listen-options.js'
import { NodeStep } from './node-step.js'
import { proxies, proxyStep } from './proxy-protocol.js'
import { readIntoOne } from './read-buffer.js'
import { TlsStep } from './tls.js'
import { readTls } from './tls-files.js'
import type { Listener, Peer, Transport } from './transport.js'
import { WebSocketStep } from './websocket.js'

/** What a listener is given by its broker. */
interface ListenParts {
  /** A client is there, and MQTT begins. */
  readonly accept: (transport: Transport) => void
  /** Whether a hook asks who comes in. */
  readonly authenticates: () => boolean
  /** Bounds WebSocket messages. */
  readonly limits: Pick<Limits, 'maxPacketBytes'>
  readonly metrics: Metrics
  readonly drops: Drops
  readonly descriptors: Descriptors
  readonly log: Logger
  /** What sockets read into. Default: the one for a broker's clients. */
  readonly readBuffer?: () => Uint8Array | undefined
}

/** A listener as its broker has it. */
export interface OpenListener extends Listener {
  /** @throws BrokerError `invalid-option`, when anybody could come in here from elsewhere with hooks that do (or do not) authenticate. */
  checkAccess(authenticates: boolean): void
}

/** Between nodes nothing may be silent for longer before it is asked whether the other is still there. */
export const nodeKeepAliveMs = 5_000

/** The next of the steps between an accepted socket and MQTT. */
type Step = (stream: Duplex, socket: Socket, peer: Peer) => void

/** What stands between accepted sockets and MQTT, as one set of options says. */
interface Gate {
  readonly options: ListenOptions
  readonly enter: (socket: Socket) => void
  reload(): Promise<void>
  /** No more come in here; those that are at their handshake are ended, or finish it. */
  close(ended: 'ended' | 'finish'): void
}

/** What is known of the address once it is bound. */
interface Place {
  atLoopback: boolean
  /** Those of a Unix socket have none. */
  hasAddresses: boolean
}

/**
 * Listens for MQTT.
 * @throws BrokerError `listen-failed`; `invalid-option`.
 */
export async function listen(options: ListenOptions, parts: ListenParts): Promise<OpenListener> {
  checkListenOptions(options)
  const { host, path, fd, accepting = true } = options
  if (path === undefined && fd === undefined && host !== undefined) checkHost(host, options, parts.authenticates())
  const place: Place = { atLoopback: false, hasAddresses: true }
  let gate = await gateOf(options, parts, place)
  let isOpen = accepting
  // Half-open: a client that has ended its side may still wait for acknowledgements of what it said before.
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: options.node ? nodeKeepAliveMs : 0,
    allowHalfOpen: true,
    highWaterMark: 65_536,
  })
  server.on('connection', (socket) => {
    if (!isOpen) socket.on('error', () => {}).destroy()
    else if (parts.descriptors.hasRoomFor(socket)) gate.enter(socket)
  })
  try {
    const bound = await bind(server, options, defaultPort(options))
    try {
      if (bound.host !== '') checkHost(bound.host, options, parts.authenticates())
    } catch (error) {
      server.close()
      throw error
    }
    place.atLoopback = isLoopback(bound.host)
    place.hasAddresses = bound.host !== ''
    server.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => parts.drops.acceptFailed(code)) // it goes on listening
    return {
      ...bound,
      checkAccess: (authenticates) => {
        if (bound.host !== '') checkHost(bound.host, gate.options, authenticates)
      },
      open: () => {
        isOpen = true
      },
      reload: () => gate.reload(),
      async prepare(given) {
        checkListenOptions(given)
        if (bound.host !== '') checkHost(bound.host, given, parts.authenticates())
        const next = await gateOf(given, parts, place)
        return {
          commit() {
            const old = gate
            gate = next
            old.close(isDeepStrictEqual(old.options, given) ? 'finish' : 'ended')
            changeMode(given, old.options, parts.log)
          },
          abandon: () => next.close('ended'),
        }
      },
      close: () =>
        new Promise<void>((closed) => {
          server.close(() => closed())
          gate.close('ended')
        }),
    }
  } catch (error) {
    gate.close('ended')
    throw error
  }
}

/** @throws BrokerError `invalid-option`. */
function checkHost(host: string, { allowAnonymous = false, node }: ListenOptions, authenticates: boolean): void {
  if (!authenticates && !allowAnonymous && !node && !isLoopback(host)) throw openToAll(host)
}

/** Of a Unix socket that is there already. */
function changeMode(given: ListenOptions, old: ListenOptions, log: Logger): void {
  const { path, mode = defaultMode } = given as UnixOptions
  if (given.path === undefined || mode === ((old as UnixOptions).mode ?? defaultMode)) return
  try {
    chmodSync(path, mode)
  } catch (error) {
    log.log('error', `cannot change the permissions of ${path}`, { error: String(error) })
  }
}

/** @throws BrokerError `invalid-option`, for files that cannot be used. */
async function gateOf(options: ListenOptions, parts: ListenParts, place: Place): Promise<Gate> {
  const { tls, websocket, proxyProtocol, node, handshakeTimeoutMs = 10_000, maxHandshakes = 1_000, name } = options
  const { accept, metrics, drops, log } = parts
  const { allowAnonymous = false } = options
  const handshakes = new Handshakes({ timeoutMs: handshakeTimeoutMs, most: maxHandshakes }, drops)
  /** `undefined`: whoever it was has reset the connection before it was accepted, and nobody can tell any more who it was. */
  const peerOf = (socket: Socket): Peer | undefined => {
    const { remoteAddress, remotePort } = socket
    const where = name !== undefined && { listener: name }
    if (!place.hasAddresses) return { transport: 'unix', address: '', ...where }
    if (remoteAddress !== undefined && remotePort !== undefined) {
      return { transport: 'tcp', address: plainAddress(remoteAddress), port: remotePort, ...where }
    }
    log.log('debug', 'client gone', { reason: 'connection closed by the client' })
    socket.destroy()
    return undefined
  }

  // From the last step to the first: each knows the next.
  let next: Step = (stream, socket, peer) => {
    handshakes.done(socket)
    accept(stream === socket ? new DuplexTransport(stream, peer) : new LayeredTransport(stream, peer, socket))
  }
  if (websocket) {
    const isGuarded = (): boolean => (allowAnonymous || !parts.authenticates()) && place.atLoopback
    next = new WebSocketStep(websocket, isGuarded, parts.limits, handshakes, next).enter
  }
  const isProxy = proxyProtocol && proxies(proxyProtocol.from)
  if (node) next = new NodeStep(node, handshakes, next).enter
  const certified = tls && node ? { ...tls, requestCert: true } : tls
  const secure = certified && (await TlsStep.open(certified, { metrics, log, handshakes, next }))
  if (secure) next = secure.enter
  const first = next
  const ofProxy = proxyStep(handshakes, first, secure !== undefined)
  const behindHandshake = (socket: Socket): void => {
    const peer = peerOf(socket)
    if (!peer) return
    const isOfProxy = isProxy?.(peer.address) ?? false
    if (!handshakes.begin(socket, peer.address, isOfProxy || node !== undefined)) return
    if (isOfProxy) ofProxy(socket, peer)
    else first(socket, socket, peer)
  }
  const atOnce = (socket: Socket): void => {
    readIntoOne(socket, parts.readBuffer?.())
    const peer = peerOf(socket)
    if (!peer) return
    makeLean(socket)
    accept(new DuplexTransport(socket, peer))
  }
  return {
    options,
    enter: tls || websocket || isProxy || node ? behindHandshake : atOnce,
    reload: async () => secure?.reload(),
    close(under) {
      secure?.close()
      if (under === 'ended') handshakes.close()
    },
  }
}

const openToAll = (host: string): BrokerError =>
  new BrokerError(
    'invalid-option',
    `${host} can be reached by other machines and no hook authenticates, so anybody could come in; add a hook with authenticate, or say allowAnonymous: true`,
  )

/**
 * Tries whether {@link listen} could listen so, as far as that can be told without opening it: reads the files of
 * `tls`, and whether they belong together.
 * @throws BrokerError `invalid-option`, naming what is wrong.
 */
export async function checkListen(options: ListenOptions): Promise<void> {
  checkListenOptions(options)
  if (options.proxyProtocol) proxies(options.proxyProtocol.from)
  if (options.tls) await readTls(options.tls)
}

function defaultPort({ tls, websocket }: ListenOptions): number {
  if (websocket) return tls ? 8084 : 8083
  return tls ? 8883 : 1883
}

/**
 * Takes from an accepted half-open socket what Node keeps in each and nobody needs: a listener that only does something
 * to sockets that are not half-open (with ours, two would need a list), and the address, which the peer has. Of 15,000
 * idle connections that is 2 MB. Where Node keeps nothing of the kind, nothing is changed.
 */
function makeLean(socket: Socket): void {
  for (const listener of socket.listeners('end')) {
    if (listener.name === 'onReadableStreamEnd') socket.off('end', listener as () => void)
  }
  const cached = socket as unknown as { _peername?: unknown }
  if (cached._peername) cached._peername = undefined // asked for again, it is looked up again
}
