import type { ClientCertificate } from '../client-certificate.js'
import type { ListenOptions } from './listen-options.js'

/** What a TLS handshake has agreed on. */
export interface TlsAgreement {
  /** As `TLSv1.3`. */
  readonly protocol: string
  /** By OpenSSL's name, as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string
}

/** Where a connection comes from. */
export interface Peer {
  /** `tcp`, `tls`, `ws`, `wss`, `unix`, `memory`, `stream`; `inside`: a session of the program around the broker. */
  readonly transport: string
  /** The other side's address; empty where there is none. */
  readonly address: string
  readonly port?: number
  /** The name of the listener it came to, where that has one. */
  readonly listener?: string
  /** Of a connection over TLS. */
  readonly tls?: TlsAgreement
  /** What the client has shown in the TLS handshake, if it was asked to. */
  readonly certificate?: ClientCertificate
}

/** What a transport tells whoever uses it. */
export interface TransportEvents {
  /** Bytes arrived, in a view of their own. They may be overwritten once the call has returned. */
  onData(chunk: Uint8Array): void
  /** So many bytes have come that cannot be handed over yet: those of a WebSocket message that is not whole. */
  onPartial(bytes: number): void
  /** The peer has ended its side in order: nothing more will come, but it may still take what is written. Called at most once. */
  onEnd(): void
  /** The connection is gone. Called once. */
  onClose(error?: Error): void
}

/**
 * An ordered, lossless byte stream [MQTT-7.1.1-1]; it knows no MQTT. Bytes are pushed: no promise or event object a chunk.
 */
export interface Transport {
  readonly peer: Peer
  /** Rises when the kernel has taken something of what is written, be it a part of one write. 0 where nobody can tell. */
  readonly bytesTaken: number
  /** Starts the flow of bytes. */
  start(events: TransportEvents): void
  /** From here on another is told. */
  handTo(events: TransportEvents): void
  /**
   * Sends the parts, one after another; they must stay unchanged until `done` is called, also when the connection fails.
   * It is called before `write` returns when the parts are already on their way.
   */
  write(parts: readonly Uint8Array[], done: () => void): void
  /** Stops and restarts the flow of bytes towards `onData`. */
  pause(): void
  resume(): void
  /** Ends our side: what was written still goes out, and what comes in is told as before. */
  endSending(): void
  /** Ends in order: what was written still goes out, what comes in is discarded. */
  end(): void
  /** Ends at once. */
  destroy(): void
  /** Ends at once, and the other side sees that it was not in order: over TCP a reset. */
  reset(): void
}

/** Other options of a listener: one of both is called, once. Neither fails. */
export interface PreparedOptions {
  commit(): void
  abandon(): void
}

/** Where clients come in. */
export interface Listener {
  /** The address it is bound to; empty for a Unix socket. */
  readonly host: string
  /** 0 for a Unix socket. */
  readonly port: number
  /** Of a Unix socket. */
  readonly path?: string
  /**
   * Reads certificates, keys, CA and CRL again; those who are connected stay. Nothing to do without TLS.
   * @throws BrokerError `invalid-option`, when they are broken: what was read before stays in force.
   */
  reload(): Promise<void>
  /**
   * Makes ready to go on with other options at the same address; what they say of the address is not looked at. Nothing changes
   * until `commit` is called: then who comes is let in by them, who is at his handshake has to come again, unless they are the
   * same, and who is connected stays. `abandon` gives them up.
   * @throws BrokerError `invalid-option`: nothing has changed.
   */
  prepare(options: ListenOptions): Promise<PreparedOptions>
  /** Lets clients in, where `accepting: false` has kept them out. */
  open(): void
  /** Stops accepting. Connections already accepted stay. */
  close(): Promise<void>
}
