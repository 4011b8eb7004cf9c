import { CommandError } from './command-error.js'
import { isOutOfFiles, systemProblem } from './system-problem.js'
import type { Command, Terminal } from './terminal.js'
import { version } from './version.js'

/** Each command is loaded when it is called: `godwit pub` shall not pay for the broker. */
const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  broker: { summary: 'run an MQTT broker', load: async () => (await import('./commands/broker.js')).broker },
  config: {
    summary: 'check and print the configuration of a broker',
    load: async () => (await import('./commands/config.js')).config,
  },
  reload: {
    summary: 'make a running broker read its files again',
    load: async () => (await import('./commands/reload.js')).reload,
  },
  trace: {
    summary: 'show the packets of a client or a topic, live',
    load: async () => (await import('./commands/trace.js')).trace,
  },
  top: { summary: 'show live what a broker does', load: async () => (await import('./commands/top.js')).top },
  pub: { summary: 'publish messages', load: async () => (await import('./commands/pub.js')).pub },
  sub: { summary: 'subscribe, and print what comes', load: async () => (await import('./commands/sub.js')).sub },
  rr: { summary: 'publish a request, and print the response', load: async () => (await import('./commands/rr.js')).rr },
  passwd: {
    summary: 'create, change and check a password file',
    load: async () => (await import('./commands/passwd.js')).passwd,
  },
  acl: { summary: 'say which access rule decides', load: async () => (await import('./commands/acl.js')).acl },
  conform: {
    summary: 'hold a broker or a client to the standard, statement by statement',
    load: async () => (await import('./commands/conform.js')).conform,
  },
  bench: { summary: 'measure a broker', load: async () => (await import('./commands/bench.js')).bench },
}

/**
 * Runs the command named by the first argument.
 * @returns The exit code; failures have been told on `stderr` in one line.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args
  try {
    if (name === undefined || name === '--help' || name === 'help') {
      terminal.stdout.write(help())
      return 0
    }
    if (name === '--version') {
      terminal.stdout.write(`godwit ${version}\n`)
      return 0
    }
    const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!entry) throw new CommandError(`there is no command '${name}'; see godwit --help`)
    const command = await entry.load()
    return await command(rest, terminal)
  } catch (error) {
    terminal.stderr.write(`${failureLine(name, error)}\n`)
    return error instanceof CommandError ? error.exitCode : 1
  }
}

/** A failure as the one line that people see. */
export function failureLine(name: string | undefined, error: unknown): string {
  const command = name !== undefined && Object.hasOwn(commands, name) ? `godwit ${name}` : 'godwit'
  return `${command}: ${oneLine(messageOf(error))}`
}

function messageOf(error: unknown): string {
  if (error instanceof CommandError) return error.message
  if (isOutOfFiles(error)) return systemProblem(error)
  if (!(error instanceof Error)) return `unexpected failure: ${String(error)}; please report it`
  const where = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '))
  return `unexpected ${error.name}: ${error.message}${where ? ` (${where.trim()})` : ''}; please report it`
}

/** Whatever a message quotes, it stays one line and cannot move the cursor. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}

function help(): string {
  const list = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`)
  return `godwit ${version}: MQTT 5.0 and 3.1.1 at the command line

Usage: godwit <command> [options]

${list.join('\n')}

godwit <command> --help tells more, with examples. godwit --version prints the version.
`
}
