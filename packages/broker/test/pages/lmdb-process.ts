import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('lmdb-process.mjs', import.meta.url))
/** Longer than this is as good as for ever. */
const longestMs = 30_000

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly hung: boolean
  /** Lines it printed. */
  readonly lines: number
  readonly errors: string
}

/**
 * Lets lmdb work on a file in a process of its own.
 * @param killAfterMs Ends it so long after its first commit, whatever it is doing then.
 */
export async function lmdbProcess(
  what: 'fill' | 'use',
  path: string,
  seed: number,
  { commits = 8, killAfterMs }: { readonly commits?: number; readonly killAfterMs?: number | undefined } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [program, what, path, String(seed), String(commits)])
  let [output, errors, hung] = ['', '', false]
  const hang = () => {
    hung = child.kill('SIGKILL')
  }
  const timers = [setTimeout(hang, longestMs)]
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (killAfterMs === undefined || timers.length > 1) return
    timers.push(setTimeout(() => child.kill('SIGKILL'), killAfterMs))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000)
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  for (const timer of timers) clearTimeout(timer)
  return { code, signal, hung, lines: output.split('\n').length - 1, errors }
}
