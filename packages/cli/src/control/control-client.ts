import { once } from 'node:events'
import { createConnection } from 'node:net'
import { CommandError } from '../command-error.js'
import { lines } from '../lines.js'
import type { CommandLine } from '../manual.js'
import { systemProblem } from '../system-problem.js'
import { controlPath, pathProblem } from './control-path.js'
import type { ControlRequest, Refusal } from './control-protocol.js'

/** Which broker a command is for. */
export interface ControlFlags {
  readonly data?: string
  readonly control?: string
}

export function withControlOptions(command: CommandLine): CommandLine {
  return command
    .option('--data <folder>', "the broker's data folder (default: ./godwit-data, or GODWIT_DATA)")
    .option('--control <path>', 'its control socket, where it is not in that folder (or GODWIT_CONTROL)')
}

/**
 * The control socket of the broker that the flags, or else the environment, name.
 * @throws CommandError where they name a broker that has none.
 */
export function controlPathOf({ data, control }: ControlFlags, environment: NodeJS.ProcessEnv = process.env): string {
  const { GODWIT_DATA = './godwit-data', GODWIT_CONTROL } = environment
  const path = controlPath({
    data: data ?? GODWIT_DATA,
    control: control ?? (data === undefined ? GODWIT_CONTROL : undefined),
  })
  if (path !== undefined) return path
  throw new CommandError(
    'a broker that keeps nothing has a control socket only when it is given one: name it, there and here, with --control PATH',
  )
}

/**
 * Asks the broker whose control socket that is; gives its answers until it closes the connection, or `signal` aborts.
 * @throws CommandError when no broker answers there, when it refuses, and when it ends before `signal` does.
 */
export async function* ask<Answer extends object>(
  path: string,
  request: ControlRequest,
  signal?: AbortSignal,
): AsyncGenerator<Answer, void, undefined> {
  const problem = pathProblem(path)
  if (problem !== undefined) throw new CommandError(problem)
  const socket = createConnection({ path })
  const stop = (): void => void socket.destroy()
  signal?.addEventListener('abort', stop)
  try {
    await once(socket, 'connect').catch((error: unknown) => {
      throw unreachable(path, error)
    })
    socket.write(`${JSON.stringify(request)}\n`)
    for await (const line of lines(socket)) {
      const answer = answerOf<Answer>(line, path)
      if ('error' in answer) throw new CommandError(answer.error)
      yield answer
    }
  } catch (error) {
    if (signal?.aborted) return
    throw error instanceof CommandError ? error : new CommandError(`the broker has gone: ${systemProblem(error)}`)
  } finally {
    signal?.removeEventListener('abort', stop)
    socket.destroy()
  }
}

/**
 * {@link ask} for what is answered once.
 * @throws CommandError
 */
export async function askOnce<Answer extends object>(path: string, request: ControlRequest): Promise<Answer> {
  for await (const answer of ask<Answer>(path, request)) return answer
  throw new CommandError('the broker has ended before it answered; its log says why')
}

function unreachable(path: string, error: unknown): CommandError {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EACCES') {
    return new CommandError(`${path} is for the user who runs the broker; run this as that user`)
  }
  return new CommandError(
    `no broker answers at ${path}; start one, or name its data folder with --data or its control socket with --control`,
  )
}

function answerOf<Answer extends object>(line: Uint8Array, path: string): Answer | Refusal {
  try {
    return JSON.parse(Buffer.from(line).toString()) as Answer | Refusal
  } catch {
    throw new CommandError(`what answers at ${path} is no broker of Godwit; name its data folder with --data`)
  }
}
