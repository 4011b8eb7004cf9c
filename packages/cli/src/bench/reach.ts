import { once } from 'node:events'
import { connect } from 'node:net'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'

const patienceMs = 10_000

/**
 * Finds out once where a server is, so that thousands of connections need not ask for its name.
 * @returns The address that answered.
 * @throws CommandError when nothing does.
 */
export async function reach(host: string, port: number): Promise<string> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(patienceMs) })
    return socket.remoteAddress ?? host
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'AbortError'
    const why = timedOut ? `no answer within ${patienceMs / 1000} s` : systemProblem(error)
    throw new CommandError(`cannot reach ${host}:${port}: ${why}; check the URL, and that the server runs`)
  } finally {
    socket.destroy()
  }
}
