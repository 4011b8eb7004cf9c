import { once } from 'node:events'
import { lstatSync, unlinkSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { EditConflict, NotEditable, NotThere, Unacceptable } from '@godwit/admin/parts'
import { BrokerError, isAnswered, type Logger, listenAt } from '@godwit/broker'
import { logAcceptErrors } from '../accept-errors.js'
import { CommandError } from '../command-error.js'
import { isOutOfFiles, systemProblem } from '../system-problem.js'
import { Answers } from './answers.js'
import { type ControlRequest, controlRequest } from './control-protocol.js'

/** Answers a request. What it throws is answered as a refusal. */
export type Serve = (request: ControlRequest, answers: Answers) => void | Promise<void>

/** A user name, a password and a topic of MQTT have 65,535 bytes each. */
const mostRequestBytes = 262_144
const requestMs = 5_000
const mostConnections = 16

/**
 * A Unix socket over which the person who runs a broker may ask it things: whoever may open it may do anything. One line
 * of JSON asks, lines of JSON answer.
 */
export class ControlSocket {
  readonly #server: Server
  readonly #serve: Serve
  readonly #log: Logger
  readonly #connections = new Set<Socket>()

  /**
   * The socket that a dead broker has left is replaced.
   * @throws CommandError when a living program listens there, or what is there is no socket; the system's error, when it
   * lets nobody listen there.
   */
  static async open(path: string, serve: Serve, log: Logger): Promise<ControlSocket> {
    await removeStale(path)
    const socket = new ControlSocket(serve, log)
    await socket.#listen(path)
    return socket
  }

  private constructor(serve: Serve, log: Logger) {
    this.#serve = serve
    this.#log = log
    // Half-open: `echo '{"request":"reload"}' | socat - UNIX:…` has ended its side before the answer is there.
    this.#server = createServer({ allowHalfOpen: true }, (connection) => this.#accept(connection))
  }

  /** Ends the answers that are under way, and takes the socket away. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const connection of this.#connections) connection.destroy()
    await closed
  }

  async #listen(path: string): Promise<void> {
    listenAt(this.#server, path, 0o600)
    await once(this.#server, 'listening')
    logAcceptErrors(this.#server, 'the control socket', this.#log)
  }

  #accept(connection: Socket): void {
    const answers = new Answers(connection)
    connection.on('error', () => {}) // it closes then
    this.#connections.add(connection)
    connection.once('close', () => this.#connections.delete(connection))
    if (this.#connections.size > mostConnections) {
      answers.end({ error: `${mostConnections} are connected to the control socket, which is all it takes; end one` })
      connection.resume()
      return
    }
    let hasAsked = false
    const end = (): void => void (hasAsked || connection.destroy())
    const late = setTimeout(() => setImmediate(end), requestMs).unref() // what it has sent is read before
    let text = ''
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\n')
      if (end < 0 && text.length <= mostRequestBytes) return
      hasAsked = true
      clearTimeout(late)
      connection.off('data', onData).resume() // so that its end is seen
      void this.#answer(Buffer.from(text.slice(0, end < 0 ? text.length : end), 'latin1').toString(), answers)
    }
    connection.on('data', onData)
  }

  async #answer(line: string, answers: Answers): Promise<void> {
    try {
      await this.#serve(requestOf(line), answers)
    } catch (error) {
      answers.end({ error: this.#inWords(error) })
    }
  }

  #inWords(error: unknown): string {
    if (error instanceof CommandError || error instanceof BrokerError || isRefusal(error)) return error.message
    if (isOutOfFiles(error)) return systemProblem(error)
    this.#log.log('error', 'a request over the control socket failed', { error: String(error) })
    return `unexpected failure: ${String(error)}; please report it`
  }
}

/** Of the parts that edit files and make backups: in words for people. */
function isRefusal(error: unknown): error is Error {
  return [EditConflict, NotEditable, NotThere, Unacceptable].some((kind) => error instanceof kind)
}

function requestOf(line: string): ControlRequest {
  if (line.length > mostRequestBytes) throw new CommandError(`a request has at most ${mostRequestBytes} bytes`)
  const parsed = controlRequest.safeParse(jsonOf(line))
  if (parsed.success) return parsed.data
  throw new CommandError(
    'this is no request; one is a line such as {"request":"status"}, with status, reload, trace (and client or topic), top, list and others of the commands',
  )
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** A process that was killed leaves its socket behind, and nobody could listen there again. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return
  if (!found.isSocket()) throw new CommandError(`${path} is no socket; name another path with --control PATH`)
  if (await isAnswered(path)) {
    throw new CommandError(`a running program listens on ${path}; end it, or name another path with --control PATH`)
  }
  unlinkSync(path)
}
