import { oneOf } from '../argument-values.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { completionScripts, type Described, shells, wordsOf } from '../shell-completion.js'
import { type Terminal, write } from '../terminal.js'

const manual: Manual = {
  name: 'completion',
  summary: 'Prints what a shell needs to complete commands, options and saved servers.',
  examples: [
    ['godwit completion bash > ~/.local/share/bash-completion/completions/godwit'],
    ['godwit completion zsh > ~/.zsh/completions/_godwit', 'a folder that stands in $fpath'],
    ['godwit completion fish > ~/.config/fish/completions/godwit.fish'],
    ['eval "$(godwit completion bash)"', 'for this shell alone'],
  ],
  actions: shells,
}

export function completionLine(): CommandLine {
  return commandLine(manual).usage('bash|zsh|fish').argument('<shell>', shells.join(', '), oneOf(shells))
}

/** A command as it stands in the table of all. */
interface Entry {
  readonly summary: string
  readonly load: () => Promise<{ readonly lines: () => readonly CommandLine[] }>
}

/** `godwit completion`, for all those commands. */
export async function completion(args: readonly string[], terminal: Terminal, all: readonly Entry[]): Promise<number> {
  const line = completionLine()
  const flags = parse<object>(line, args, terminal)
  if (flags === helped) return 0
  const [shell] = line.processedArgs as [(typeof shells)[number]]
  await write(terminal.stdout, completionScripts[shell](await described(all)))
  return 0
}

/** Every command, with those below it. */
async function described(all: readonly Entry[]): Promise<readonly Described[]> {
  const words: Described[] = []
  for (const { summary, load } of all) {
    const { lines } = await load()
    for (const line of lines()) words.push(wordsOf(line, summary))
  }
  return words
}
