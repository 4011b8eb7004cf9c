import type { Option } from 'commander'
import type { ValueReader } from './argument-values.js'
import type { CommandLine } from './manual.js'

export const shells = ['bash', 'zsh', 'fish'] as const

/** What can be completed behind a command. */
export interface Described {
  /** `sub`, `config import`. */
  readonly name: string
  readonly summary: string
  readonly actions: readonly string[]
  /** Whether @name of a saved server may stand there. */
  readonly takesServer: boolean
  readonly takesFile: boolean
  readonly options: readonly DescribedOption[]
}

interface DescribedOption {
  readonly flags: readonly string[]
  readonly description: string
  /** What its value is; undefined where it takes none. */
  readonly value: 'file' | 'folder' | readonly string[] | 'any' | undefined
}

/** What there is to complete of a command line. */
export function wordsOf(line: CommandLine, summary: string): Described {
  const { actions = [], name } = line.manual
  const [shownHelp] = [line.createHelp().visibleOptions(line)]
  const names = line.registeredArguments.map((argument) => argument.name())
  return {
    name,
    summary,
    actions,
    takesServer: names.includes('server'),
    takesFile: names.includes('file'),
    options: shownHelp.map((option) => ({
      flags: [option.short, option.long].flatMap((flag) => flag ?? []),
      description: option.description,
      value: takenBy(option),
    })),
  }
}

function takenBy({ required, flags, parseArg }: Option): DescribedOption['value'] {
  if (!required) return undefined
  const words = (parseArg as ValueReader<unknown> | undefined)?.words
  if (words) return words
  if (/<(file|path)>/.test(flags)) return 'file'
  return /<folder>/.test(flags) ? 'folder' : 'any'
}

/** The script of each shell. They are whole: nothing is asked of godwit at a tab but the names of saved servers. */
export const completionScripts: Readonly<Record<(typeof shells)[number], (all: readonly Described[]) => string>> = {
  bash,
  zsh,
  fish,
}

function top(all: readonly Described[]): readonly Described[] {
  const first = all.filter(({ name }) => !name.includes(' '))
  const only = all.filter(({ name }) => name.includes(' ') && !first.some((one) => name.startsWith(`${one.name} `)))
  return [
    ...first,
    ...only.map((one) => ({ ...one, name: one.name.split(' ')[0]!, actions: [one.name.split(' ')[1]!] })),
  ]
}

function isBelow(all: readonly Described[], { name }: Described): boolean {
  return name.includes(' ') && all.some((one) => one.name === name.split(' ')[0])
}

/** Those that have two words: `config import`. */
function below(all: readonly Described[]): readonly Described[] {
  return all.filter((one) => isBelow(all, one))
}

function bash(all: readonly Described[]): string {
  const commandsHere = [...top(all), ...below(all)]
  const values = commandsHere.flatMap(({ name, options }) =>
    options.flatMap(({ flags, value }) => {
      if (value === undefined) return []
      const reply =
        value === 'file'
          ? 'compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur"))'
          : value === 'folder'
            ? 'compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur"))'
            : value === 'any'
              ? ':'
              : `COMPREPLY=($(compgen -W ${quoted(value.join(' '))} -- "$cur"))`
      return [`    ${flags.map((flag) => quoted(`${name} ${flag}`)).join('|')}) ${reply}; return;;`]
    }),
  )
  const words = commandsHere.map(({ name, actions, options, takesServer, takesFile }) => {
    const flags = options.flatMap((option) => option.flags.filter((flag) => flag.startsWith('--'))).join(' ')
    return `    ${quoted(name)}) flags=${quoted(flags)}; actions=${quoted(actions.join(' '))}; server=${takesServer ? 1 : ''}; files=${takesFile ? 1 : ''};;`
  })
  const two = below(all)
    .map(({ name }) => quoted(name))
    .join('|')
  return `# bash completion for godwit, made by: godwit completion bash
_godwit() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  local flags actions server files
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ${quoted([...top(all).map(({ name }) => name), 'help', 'version'].join(' '))} -- "$cur"))
    return
  fi
  if [[ $command == help ]]; then
    ((COMP_CWORD == 2)) && COMPREPLY=($(compgen -W ${quoted(
      top(all)
        .map(({ name }) => name)
        .join(' '),
    )} -- "$cur"))
    return
  fi
  case "$command \${COMP_WORDS[2]}" in ${two || "''"}) ((COMP_CWORD > 2)) && command+=" \${COMP_WORDS[2]}";; esac
  case "$command $prev" in
${values.join('\n')}
  esac
  case "$command" in
${words.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ $actions && $COMP_CWORD == 2 ]]; then
    COMPREPLY=($(compgen -W "$actions" -- "$cur"))
  elif [[ $server && ( -z $cur || $cur == @* ) ]]; then
    COMPREPLY=($(compgen -W "$(godwit server list --names 2>/dev/null)" -- "$cur"))
  elif [[ $files ]]; then
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
COMP_WORDBREAKS=\${COMP_WORDBREAKS//@/} # @name is one word
complete -F _godwit godwit
`
}

function zsh(all: readonly Described[]): string {
  const escaped = (text: string): string => text.replace(/[\\\\[\\]:]/g, '\\\\$&')
  const spec = ({ flags, description, value }: DescribedOption): string => {
    const told = `[${escaped(description)}]`
    const completes =
      value === undefined
        ? ''
        : value === 'file'
          ? ':file:_files'
          : value === 'folder'
            ? ':folder:_files -/'
            : value === 'any'
              ? ':value:'
              : `:value:(${value.join(' ')})`
    const [first = '', second] = flags
    if (second === undefined) return quoted(`*${first}${told}${completes}`)
    return `'*'{${first},${second}}${quoted(told + completes)}`
  }
  const body = ({ actions, takesServer, takesFile, options }: Described): string =>
    [
      '_arguments -s',
      ...options.map(spec),
      ...(actions.length > 0 ? [quoted(`1:action:(${actions.join(' ')})`)] : []),
      ...(takesServer ? [quoted('*:server:_godwit_servers')] : takesFile ? [quoted('*:file:_files')] : []),
    ].join(' \\\n        ')
  return `#compdef godwit
# zsh completion for godwit, made by: godwit completion zsh
_godwit_servers() {
  local -a servers
  servers=(\${(f)"$(godwit server list --names 2>/dev/null)"})
  compadd -a servers
}

_godwit() {
  local -a commands
  commands=(
${[...top(all).map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`), "    'help:tell more of a command'", "    'version:print the version'"].join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case "$command $words[2]" in
${below(all)
  .map(
    (one) =>
      `    ${quoted(one.name)})\n      if ((CURRENT > 2)); then\n        shift words\n        ((CURRENT--))\n        ${body(one)}\n        return\n      fi;;`,
  )
  .join('\n')}
  esac
  case "$command" in
${top(all)
  .map((one) => `    ${one.name})\n      ${body(one)};;`)
  .join('\n')}
    help) _describe command commands;;
  esac
}

# As a file of $fpath it is the function itself; read by a shell it makes itself known.
if [[ $funcstack[1] == _godwit ]]; then
  _godwit "$@"
else
  compdef _godwit godwit
fi
`
}

function fish(all: readonly Described[]): string {
  const lines = top(all).flatMap(({ name, summary, actions, takesServer, takesFile, options }) => {
    const here = `__fish_seen_subcommand_from ${name}`
    return [
      `complete -c godwit -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary, 'fish')}`,
      ...(takesFile ? [] : [`complete -c godwit -n ${quoted(here, 'fish')} -f`]),
      ...(actions.length > 0
        ? [
            `complete -c godwit -n ${quoted(`${here}; and not __fish_seen_subcommand_from ${actions.join(' ')}`, 'fish')} -f -a ${quoted(actions.join(' '), 'fish')}`,
          ]
        : []),
      ...(takesServer
        ? [`complete -c godwit -n ${quoted(here, 'fish')} -f -a '(godwit server list --names 2>/dev/null)'`]
        : []),
      ...options.map((option) => fishOption(here, option)),
    ]
  })
  const ofBelow = below(all).flatMap(({ name, options }) => {
    const [first, second] = name.split(' ')
    const here = `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`
    return options.map((option) => fishOption(here, option))
  })
  return `# fish completion for godwit, made by: godwit completion fish
complete -c godwit -n __fish_use_subcommand -f -a help -d 'tell more of a command'
complete -c godwit -n __fish_use_subcommand -f -a version -d 'print the version'
${[...lines, ...ofBelow].join('\n')}
`
}

function fishOption(here: string, { flags, description, value }: DescribedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  const takes =
    value === undefined
      ? ''
      : value === 'file' || value === 'folder'
        ? ' -r -F'
        : value === 'any'
          ? ' -x'
          : ` -x -a ${quoted(value.join(' '), 'fish')}`
  return `complete -c godwit -n ${quoted(here, 'fish')} ${names.join(' ')}${takes} -d ${quoted(description, 'fish')}`
}

function quoted(text: string, shell: 'posix' | 'fish' = 'posix'): string {
  return shell === 'fish' ? `'${text.replace(/[\\']/g, '\\$&')}'` : `'${text.replaceAll("'", "'\\''")}'`
}
