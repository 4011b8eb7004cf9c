import type { Writable } from 'node:stream'
import { isKeyboard } from '../password-prompt.js'
import type { Terminal } from '../terminal.js'
import type { ScreenSize } from './top-screen.js'

const enter = '\u001b[?1049h\u001b[?25l' // the alternate screen, without a cursor
const leave = '\u001b[?25h\u001b[?1049l'
const home = '\u001b[H'
const restOfLine = '\u001b[K'
const restOfScreen = '\u001b[J'

/** In raw mode Ctrl-C is a key, not a signal. */
const quitKeys = new Set(['q', 'Q', '\u0003'])

type Screen = Writable & { readonly isTTY: true; readonly columns: number; readonly rows: number }

interface LiveScreenEvents {
  /** `q` or Ctrl-C was pressed. */
  readonly onQuit: () => void
  /** It has another size now: draw again. */
  readonly onResize: () => void
}

/** A terminal that is drawn again and again; what was there before comes back with {@link LiveScreen.close}. */
export class LiveScreen {
  readonly #screen: Screen
  readonly #onResize: () => void
  #leaveKeyboard: () => void = () => {}

  /** Whether somebody looks at what is printed. */
  static isPossible({ stdout }: Terminal): boolean {
    return isScreen(stdout)
  }

  constructor({ stdin, stdout }: Terminal, { onQuit, onResize }: LiveScreenEvents) {
    if (!isScreen(stdout)) throw new TypeError('a live screen needs a terminal')
    this.#screen = stdout
    this.#onResize = onResize
    process.on('exit', this.#restore) // a second signal, or a failure that nobody foresaw
    stdout.on('resize', onResize)
    if (isKeyboard(stdin)) {
      const onKeys = (keys: Buffer | string): void => {
        if ([...keys.toString()].some((key) => quitKeys.has(key))) onQuit()
      }
      stdin.setRawMode(true)
      stdin.on('data', onKeys).resume()
      this.#leaveKeyboard = () => {
        stdin.off('data', onKeys).pause()
        stdin.setRawMode(false)
      }
    }
    stdout.write(enter)
  }

  get size(): ScreenSize {
    const { columns, rows } = this.#screen
    return { columns: columns || 80, rows: rows || 24 } // some terminals do not say
  }

  /** A picture is left out while the terminal has not taken the last one. */
  draw(lines: readonly string[]): void {
    if (this.#screen.writableLength > 0) return
    this.#screen.write(`${home}${lines.map((line) => line + restOfLine).join('\r\n')}${restOfScreen}`)
  }

  close(): void {
    process.off('exit', this.#restore)
    this.#screen.off('resize', this.#onResize)
    this.#restore()
  }

  readonly #restore = (): void => {
    this.#leaveKeyboard()
    this.#screen.write(leave)
  }
}

function isScreen(stream: Writable): stream is Screen {
  return 'isTTY' in stream && stream.isTTY === true
}
