import { join, resolve } from 'node:path'

/** What the address of a Unix socket holds, without the zero that ends it. The system cuts off what is longer. */
const mostPathBytes = process.platform === 'linux' ? 107 : 103

/** What a configuration, or the flags and the environment of a command, say of the control socket. */
interface ControlSettings {
  /** Its path; `none` or `false`: there is none. Default: {@link controlPath} says. */
  readonly control?: string | false | undefined
  /** The data folder, or `memory`. */
  readonly data: string
}

/** Where the control socket is: in the data folder, unless it is said. A broker that keeps nothing has none by default. */
export function controlPath({ control, data }: ControlSettings): string | undefined {
  if (control === false || control === 'none') return undefined
  if (control !== undefined) return resolve(control)
  return data === 'memory' ? undefined : join(resolve(data), 'control.sock')
}

/** Why there can be no socket of that path, with the way out; undefined when there can. */
export function pathProblem(path: string): string | undefined {
  const bytes = Buffer.byteLength(path)
  if (bytes <= mostPathBytes) return undefined
  return `the path ${path} has ${bytes} bytes, and that of a socket at most ${mostPathBytes}; give the broker and the commands a shorter one with --control PATH`
}
