import { readFileSync } from 'node:fs'

/** How strace is to be run for {@link readCalls}: all threads in one file, in the order in which they were seen. */
export function strace(output: string): readonly string[] {
  const traced = 'read,readv,recvmsg,write,writev,sendmsg,sendto,pwrite64,pwritev,pwritev2,fdatasync,fsync,msync'
  return ['strace', '-f', '-y', '-xx', '-s', '1000000', '-e', `trace=${traced}`, '-e', 'signal=none', '-o', output]
}

/** One system call on a file or a socket. */
export interface Call {
  readonly name: string
  /** The path, or `socket:[…]`. */
  readonly on: string
  /** What was written or read. */
  readonly data: Buffer
  /** Where in the trace it began and where it returned: any two events of a process have an order there. */
  readonly began: number
  readonly returned: number
}

// strace pads short process ids.
const whole = /^(\d+) +(\w+)\(\d+<([^>]*)>(.*)\)\s+= (\d+)$/s
const unfinished = /^(\d+) +(\w+\(.*) <unfinished \.\.\.>$/s
const resumed = /^(\d+) +<\.\.\. \w+ resumed>(.*)$/s

/** The calls that succeeded, in the order in which they returned. */
export function readCalls(trace: string): readonly Call[] {
  const calls: Call[] = []
  const begun = new Map<string, { text: string; began: number }>()
  for (const [at, line] of readFileSync(trace, 'latin1').split('\n').entries()) {
    const [, thread = '', beginning] = unfinished.exec(line) ?? []
    if (beginning !== undefined) {
      begun.set(thread, { text: beginning, began: at })
      continue
    }
    const [, resuming = '', rest] = resumed.exec(line) ?? []
    const start = rest === undefined ? undefined : begun.get(resuming)
    const call = whole.exec(start ? `${resuming} ${start.text}${rest}` : line)
    if (!call) continue
    const [, , name, on, parts, result] = call as unknown as string[]
    const data = Buffer.concat([...parts!.matchAll(/"([^"]*)"/g)].map(([, hex]) => unhex(hex!)))
    calls.push({
      ...{ name: name!, on: unhex(on!).toString(), began: start?.began ?? at, returned: at },
      data: data.subarray(0, Number(result)),
    })
  }
  return calls
}

/** `\x41\x42` → AB; what is not written so stays as it is. */
function unhex(text: string): Buffer {
  return text.startsWith('\\x') ? Buffer.from(text.replaceAll('\\x', ''), 'hex') : Buffer.from(text)
}
