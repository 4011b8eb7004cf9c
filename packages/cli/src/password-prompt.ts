import type { Readable } from 'node:stream'
import { CommandError } from './command-error.js'
import { type Terminal, write } from './terminal.js'

/** A person's keyboard: what is typed can be kept from the screen. */
type Keyboard = Readable & { readonly isTTY: true; setRawMode(raw: boolean): unknown }

/** Whether somebody sits there who can be asked. */
export function isKeyboard(stdin: Readable): stdin is Keyboard {
  return 'isTTY' in stdin && stdin.isTTY === true && 'setRawMode' in stdin
}

/**
 * Asks for a password; nothing that is typed is shown.
 * @throws CommandError with exit code 130 after Ctrl-C, and when the input ends.
 */
export async function askPassword(question: string, stdin: Keyboard, terminal: Terminal): Promise<string> {
  await write(terminal.stderr, question)
  stdin.setRawMode(true)
  try {
    return await typedLine(stdin)
  } finally {
    stdin.setRawMode(false)
    await write(terminal.stderr, '\n')
  }
}

/** The first line of what is piped in, without its end. @throws CommandError */
export async function pipedPassword(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk as Uint8Array | string))
    if (chunks.at(-1)?.includes('\n')) break
  }
  return Buffer.concat(chunks).toString().split(/\r?\n/)[0] ?? ''
}

function typedLine(stdin: Readable): Promise<string> {
  const { promise, resolve, reject } = settleable<string>()
  const typed: string[] = []
  const onData = (chunk: Buffer | string): void => {
    for (const key of chunk.toString()) {
      if (key === '\r' || key === '\n') return resolve(typed.join(''))
      if (key === '\u0003') return reject(new CommandError('interrupted; nothing was changed', 130))
      if (key === '\u0004') return reject(ended())
      if (key === '\u007f' || key === '\b') typed.pop()
      else if (key === '\u0015')
        typed.length = 0 // Ctrl-U, as a terminal does it
      else typed.push(key)
    }
  }
  const onEnd = (): void => reject(ended())
  stdin.on('data', onData).once('end', onEnd).resume()
  return promise.finally(() => {
    stdin.off('data', onData).off('end', onEnd)
    stdin.pause()
  })
}

const ended = (): CommandError => new CommandError('no password was given; nothing was changed')

function settleable<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let settle: { resolve: (value: T) => void; reject: (error: Error) => void } | undefined
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, ...settle! }
}
