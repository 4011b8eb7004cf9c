import { once } from 'node:events'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'
import { dial, type Way } from './dial.js'

const patienceMs = 10_000

/**
 * Finds out once where a server is, so that thousands of connections need not ask for its name.
 * @returns The same way, with the address that answered.
 * @throws CommandError when nothing does.
 */
export async function reach(way: Way): Promise<Way> {
  const plain = /^mqtts?:/.test(way.url) ? { url: way.url.replace('mqtts:', 'mqtt:') } : way
  const socket = dial(plain)
  try {
    const isWebSocket = /^wss?:/.test(way.url)
    if (isWebSocket) await once(socket.end(), 'finish', { signal: AbortSignal.timeout(patienceMs) })
    else await once(socket, 'connect', { signal: AbortSignal.timeout(patienceMs) })
    const { remoteAddress } = socket as { remoteAddress?: string }
    return remoteAddress === undefined || isWebSocket ? way : { ...way, address: remoteAddress }
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'AbortError'
    const why = timedOut ? `no answer within ${patienceMs / 1000} s` : systemProblem(error)
    throw new CommandError(`cannot reach ${way.url}: ${why}; check the URL, and that the server runs`)
  } finally {
    socket.on('error', () => {}).destroy()
  }
}
