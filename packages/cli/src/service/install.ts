import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'
import { type ServiceSettings, serviceUnit, sysusersLine } from './unit.js'

/** A step of an installation: a file that is written, or a program that is run. */
export type Step =
  | {
      readonly kind: 'file'
      readonly path: string
      readonly text: string
      readonly mode: number
      /** Its group may read it. */
      readonly group?: string
    }
  | { readonly kind: 'run'; readonly command: readonly [string, ...string[]] }

/** What the configuration says that is made where there is none. */
const firstConfig = `# Settings: godwit config print shows all of them, and docs/configuration.md says what each means.
# After a change: godwit config check, then systemctl reload, which says what needs a restart.
listeners:
  - { protocol: mqtt, host: 127.0.0.1, port: 1883 }
  # - { protocol: mqtts, host: 0.0.0.0, port: 8883, tls: { cert: /etc/godwit/server.crt, key: /etc/godwit/server.key } }
# auth: { passwordFile: passwords }   # beside this file: godwit passwd -c passwords NAME; chown root:godwit, chmod 640
`

/** What installs the service. Files that people change are left as they are where they are there. */
export function stepsOf(settings: ServiceSettings, root = '/'): readonly Step[] {
  const { name, config, group, user, data } = settings
  const at = (path: string): string => join(root, path)
  const hasUser = user === 'root' || commandSucceeds(['id', user])
  return [
    ...(hasUser
      ? []
      : [
          {
            kind: 'file',
            path: at(`/etc/sysusers.d/${name}.conf`),
            text: sysusersLine(settings),
            mode: 0o644,
          } as const,
          { kind: 'run', command: ['systemd-sysusers', `/etc/sysusers.d/${name}.conf`] } as const,
        ]),
    ...(existsSync(at(config))
      ? []
      : [{ kind: 'file', path: at(config), text: firstConfig, mode: 0o640, group } as const]),
    ...(data.startsWith('/var/lib/')
      ? []
      : [{ kind: 'run', command: ['install', '-d', '-m', '700', '-o', user, '-g', group, data] } as const]),
    { kind: 'file', path: at(`/etc/systemd/system/${name}.service`), text: serviceUnit(settings), mode: 0o644 },
    { kind: 'run', command: ['systemctl', 'daemon-reload'] },
  ]
}

/** @throws CommandError saying which step failed. */
export function take(step: Step): void {
  if (step.kind === 'run') {
    const [program, ...args] = step.command
    try {
      execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    } catch (error) {
      const { stderr, code } = error as { stderr?: Buffer; code?: string }
      const why = stderr?.toString().trim().split('\n')[0] || (code === 'ENOENT' ? 'there is no such program' : '')
      throw new CommandError(`${step.command.join(' ')} failed${why ? `: ${why}` : ''}; what came before it is done`)
    }
    return
  }
  const { path, text, mode, group } = step
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    writeFileSync(path, text, { mode })
    if (group !== undefined) chownSync(path, statSync(path).uid, groupId(group))
  } catch (error) {
    throw new CommandError(
      `cannot write ${path}: ${systemProblem(error)}; this needs root: sudo godwit service install`,
    )
  }
}

function groupId(group: string): number {
  return Number(execFileSync('getent', ['group', group]).toString().split(':')[2])
}

function commandSucceeds([program, ...args]: readonly [string, ...string[]]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
