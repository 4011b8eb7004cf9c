import type { Readable, Writable } from 'node:stream'

/** What a command sees of the process it runs in. Tests give one of their own. */
export interface Terminal {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  /**
   * Aborted by the first SIGINT or SIGTERM. A command that has something to put in order asks for it; without, the
   * signal ends the process as usual. A second signal always does.
   */
  stopping(): AbortSignal
  /** Calls back at each SIGHUP, which then no longer ends the process. */
  onReload(callback: () => void): void
  /** Calls back when the process ends, whatever ends it but a signal: what is done then must be done at once. */
  onExit(callback: () => void): void
}

/** One of godwit's commands: takes the arguments after its name, gives the exit code. */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>

/**
 * Writes and waits until the stream has taken it, so that a slow reader slows the writer.
 * @returns False when the reader has gone (EPIPE): `godwit sub | head -1` is no failure.
 * @throws The stream's error, for example a full disk.
 */
export function write(stream: Writable, bytes: Uint8Array | string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => {
      if (!error) resolve(true)
      else if ('code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')) resolve(false)
      else reject(error)
    })
  })
}
