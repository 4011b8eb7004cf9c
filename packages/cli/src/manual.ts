import { Command } from 'commander'
import type { Row } from './wrapping.js'

/** What people are told of a command: by `--help`, by the manual page and by the completion of a shell. */
export interface Manual {
  /** Without `godwit`: `sub`, `config import`. */
  readonly name: string
  /** A sentence: what it does. */
  readonly summary: string
  /** Command lines, and what is to say of each. */
  readonly examples: readonly Row[]
  /** Paragraphs. */
  readonly notes?: readonly string[]
  /** Lists of words that it takes or knows. */
  readonly lists?: readonly { readonly title: string; readonly rows: readonly Row[] }[]
  /** What may stand behind its name first, for completion: `check`, `print`. */
  readonly actions?: readonly string[]
}

/** The options and arguments of a command, with what people are told of it. */
export class CommandLine extends Command {
  readonly manual: Manual

  constructor(manual: Manual) {
    super(`godwit ${manual.name}`)
    this.manual = manual
  }
}
