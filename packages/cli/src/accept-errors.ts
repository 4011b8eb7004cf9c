import type { Server } from 'node:net'
import type { Logger } from '@godwit/broker'
import { systemProblem } from './system-problem.js'

/** How long what follows is gathered into one line. */
const quietMs = 10_000

/**
 * Tells in the log that a server cannot accept a connection, and goes on listening: there may be descriptors again.
 * @param name what it is, in words.
 */
export function logAcceptErrors(server: Server, name: string, log: Logger): void {
  let untold: number | undefined
  server.on('error', (error) => {
    if (untold !== undefined) return void untold++
    untold = 0
    log.log('error', `${name} could not accept a connection`, { error: systemProblem(error) })
    setTimeout(() => {
      if (untold) log.log('error', `${name} could not accept ${untold} more connections`)
      untold = undefined
    }, quietMs).unref()
  })
}
