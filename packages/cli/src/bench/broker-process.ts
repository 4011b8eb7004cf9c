import { readFileSync } from 'node:fs'
import { CommandError } from '../command-error.js'

/** What a process has used. */
export interface Usage {
  /** User and system time of all its threads and its child processes, in microseconds; /proc counts in steps of 10 ms. */
  readonly cpuMicros: number
  /** Memory that is its own (RssAnon), in bytes: without mapped files, which the system may take back. */
  readonly memoryBytes: number
}

/** USER_HZ, which Linux shows to programs whatever it uses itself. */
const ticksPerSecond = 100

/**
 * Reads a process's use from /proc.
 * @throws CommandError when there is no such process here.
 */
export function usageOf(pid: number): Usage {
  const usages = [...tree(pid)].map(readUsage)
  if (usages.length === 0) {
    throw new CommandError(`there is no process ${pid} in /proc; --pid takes the broker's, on this machine (Linux)`)
  }
  return {
    cpuMicros: usages.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0),
    memoryBytes: usages.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  }
}

/** The process and its descendants, as many as are still there. */
function* tree(pid: number): Generator<number> {
  const children = read(pid, `task/${pid}/children`)
  if (children === undefined) return
  yield pid
  for (const child of children.split(' ').filter(Boolean)) yield* tree(Number(child))
}

function readUsage(pid: number): Usage {
  // The second field is the program's name, which may hold anything.
  const fields = (read(pid, 'stat') ?? '').replace(/^.*\) /s, '').split(' ')
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  const kibibytes = /^RssAnon:\s+(\d+)/m.exec(read(pid, 'status') ?? '')?.[1]
  return { cpuMicros: (ticks * 1e6) / ticksPerSecond, memoryBytes: Number(kibibytes ?? 0) * 1024 }
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}
