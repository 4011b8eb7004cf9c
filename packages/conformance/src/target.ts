/** One end of a connection to the server under test. */
export interface ByteStream {
  write(bytes: Uint8Array): void
  /** Half-closes: nothing more will be written, what the server sends is still read. */
  end(): void
  /** Ends at once, as a failing network does (with a reset, where the transport has one). */
  destroy(): void
  /** Called with what arrives. Set before the first byte is written. */
  onData(listener: (chunk: Uint8Array) => void): void
  /** Called when the server has closed its direction, or the connection is gone. */
  onClose(listener: () => void): void
}

/** One end of a WebSocket connection: each write is a binary frame. */
export interface WebSocketStream extends ByteStream {
  /** The subprotocol the server has chosen; empty when none. */
  readonly subprotocol: string
  /** Sends a text frame, which has no place in MQTT. */
  writeText(text: string): void
}

/** What the checks run against: all they know of the server. */
export interface Target {
  /** A new byte stream to the server. */
  open(): Promise<ByteStream>
  /** A new connection that offers these subprotocols, where the server is reached over WebSocket. */
  openWebSocket?(subprotocols: readonly string[]): Promise<WebSocketStream>
  /** Lets this much of the server's time pass: virtual time in a test, real time against a socket. */
  sleep(ms: number): Promise<void>
  /** How long, in real milliseconds, something expected is waited for before the check fails. */
  readonly patienceMs: number
  /** Resolves once what was sent has certainly been handled, where that can be known; else after a short quiet time. */
  settled(): Promise<void>
}
