import { Socket } from 'node:net'
import {
  type ConnectionOptions,
  connect as connectTls,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls'
import type { Logger } from '../log.js'
import { patientTimeout } from '../patient-timeout.js'
import { DuplexTransport, LayeredTransport } from '../transport/duplex.js'
import { nodeKeepAliveMs } from '../transport/listen.js'
import { NodeNames } from '../transport/node-names.js'
import { readIntoOne } from '../transport/read-buffer.js'
import { altNamesOf } from '../transport/tls.js'
import { readTls, tlsFilePaths } from '../transport/tls-files.js'
import type { Peer, Transport } from '../transport/transport.js'
import { WatchedFiles } from '../watched-files.js'
import type { NodeTlsOptions } from './edge-options.js'
import { readBytes } from './one-way.js'

/** Where a node listener is. */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}

/** Opens connections to node listeners. */
export interface Dial {
  /**
   * Calls one of them, once.
   * @returns what ends the attempt; neither is called then.
   */
  open(address: NodeAddress, opened: (node: Transport) => void, failed: (why: string) => void): () => void
  /** Reads certificate, key and CA again. Rejects, and keeps what it has, when they are broken. */
  reload(): Promise<void>
  close(): void
}

/** How long a node may take until its TLS is done: the network is the cluster's own. */
const dialMs = 3_000

/** What every socket to a node reads into: whoever takes bytes has read or copied them when `onData` returns. */
const buffer = new Uint8Array(readBytes)

/** Over TCP, and mutual TLS where there are certificates. */
export class NodeDial implements Dial {
  readonly #names: NodeNames
  #context: SecureContext | undefined
  #files: WatchedFiles | undefined
  /** What the next connection to an address goes on with, instead of a whole handshake. */
  readonly #sessions = new Map<string, Buffer>()

  /** @throws BrokerError `invalid-option`, for files that cannot be used. */
  static async open(tls: NodeTlsOptions | undefined, log: Logger): Promise<NodeDial> {
    const dial = new NodeDial(tls?.names ?? [])
    if (!tls) return dial
    const { names: _, ...files } = tls
    const read = async (): Promise<void> => {
      dial.#context = createSecureContext(await readTls(files))
      dial.#sessions.clear()
    }
    dial.#files = await WatchedFiles.open({
      paths: tlsFilePaths(files),
      read,
      name: 'the TLS certificates for nodes',
      log,
    })
    return dial
  }

  private constructor(names: readonly string[]) {
    this.#names = new NodeNames(names)
  }

  open(address: NodeAddress, opened: (node: Transport) => void, failed: (why: string) => void): () => void {
    const { host, port } = address
    const socket = new Socket({ allowHalfOpen: true })
    let isOver = false
    const stop = (): void => {
      isOver = true
      cancelTimeout()
    }
    const giveUp = (why: string): void => {
      if (isOver) return
      stop()
      socket.destroy()
      failed(why)
    }
    const cancelTimeout = patientTimeout(dialMs, () => giveUp(`it did not answer in ${dialMs} ms`))
    const done = (transport: Transport): void => {
      if (isOver) return
      stop()
      opened(transport)
    }
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) => giveUp(code ?? message))
    socket.on('close', () => giveUp('it closed the connection'))
    socket.setNoDelay(true).setKeepAlive(true, nodeKeepAliveMs)
    const peer: Peer = { transport: this.#context ? 'tls' : 'tcp', address: host, port }
    socket.connect({ host, port }, () => {
      if (this.#context) return this.#secure(this.#context, socket, peer, done, giveUp)
      readIntoOne(socket, buffer)
      done(new DuplexTransport(socket, peer))
    })
    return () => {
      stop()
      socket.destroy()
    }
  }

  #secure(
    secureContext: SecureContext,
    socket: Socket,
    peer: Peer,
    done: (transport: Transport) => void,
    giveUp: (why: string) => void,
  ): void {
    const where = `${peer.address}:${peer.port}`
    const session = this.#sessions.get(where)
    const options: ConnectionOptions = {
      socket,
      secureContext,
      checkServerIdentity: (_host, certificate) => this.#objectionTo(certificate),
      ...(session && { session }),
    }
    const secure = connectTls(options, () => done(new LayeredTransport(secure, peer, socket)))
    readIntoOne(secure, buffer)
    secure.allowHalfOpen = true
    secure.on('session', (next: Buffer) => this.#sessions.set(where, next))
    secure.on('error', (error: NodeJS.ErrnoException) => {
      this.#sessions.delete(where)
      giveUp(error.code === 'ECONNRESET' ? 'it closed the connection in the TLS handshake' : error.message)
    })
  }

  #objectionTo({ subject, subjectaltname = '' }: PeerCertificate): Error | undefined {
    const { CN } = subject as { readonly CN?: string | string[] }
    const commonName = typeof CN === 'string' ? CN : undefined
    if (this.#names.has({ commonName, altNames: altNamesOf(subjectaltname) })) return undefined
    return new Error('its certificate has none of the names of the nodes of this cluster')
  }

  async reload(): Promise<void> {
    await this.#files?.reload()
  }

  close(): void {
    this.#files?.close()
  }
}
