// The edge of the process: arguments, streams, signals and the exit code. Everything else is in run.ts and below.
import { constants } from 'node:os'
import { failureLine, run } from './run.js'
import { type Terminal, write } from './terminal.js'

/** One Ctrl-C comes twice under npm: from the terminal, and passed on by npm. */
const sameKeyMs = 500

const terminal: Terminal = {
  get stdin() {
    return process.stdin // a getter: merely looking at it makes Node open standard input
  },
  stdout: process.stdout,
  stderr: process.stderr,
  stopping() {
    const stop = new AbortController()
    const first: { signal?: NodeJS.Signals; at: number } = { at: 0 }
    const onSignal = (signal: NodeJS.Signals): void => {
      if (!stop.signal.aborted) {
        Object.assign(first, { signal, at: performance.now() })
        stop.abort()
      } else if (signal !== first.signal || performance.now() - first.at > sameKeyMs) {
        process.exit(128 + constants.signals[signal])
      }
    }
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
    return stop.signal
  },
  onReload: (callback) => void process.on('SIGHUP', callback),
  onExit: (callback) => void process.on('exit', callback),
}

/** Runs the command that the arguments of this process name, and ends the process. */
export async function runProcess(): Promise<void> {
  const args = process.argv.slice(2)
  // Whoever reads our output may leave; commands that care learn it from write().
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  process.on('uncaughtException', (error) => void end(args, error))
  const exitCode = await run(args, terminal)
  await Promise.allSettled([write(process.stdout, ''), write(process.stderr, '')])
  process.exit(exitCode) // standard input may still be open; nothing else is
}

async function end(args: readonly string[], error: unknown): Promise<void> {
  await write(process.stderr, `${failureLine(args[0], error)}\n`).catch(() => {})
  process.exit(1)
}
