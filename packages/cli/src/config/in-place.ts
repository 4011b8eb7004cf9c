import { BrokerError } from '@godwit/broker'
import { CommandError } from '../command-error.js'
import type { Path } from './layers.js'
import type { Resolved } from './resolve.js'
import { pathInWords } from './schema-path.js'

/** Beginning of a message that says by itself where something is wrong: `passwords:4: `, `rules.yaml:2:5: `. */
const hasPlace = /^\S+:\d+(:\d+)?: /

/**
 * Makes what a setting asks for. What fails then is told with the place where the setting stands, unless that is the
 * command line or it says another place by itself; a file that cannot be read also with the setting's name, and what to do.
 * @throws CommandError
 */
export async function inPlace<T>({ origin }: Resolved, path: Path, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof BrokerError || error instanceof CommandError)) throw error
    const place = origin(path)
    const isShown = place !== 'default' && !place.startsWith('--') && !hasPlace.test(error.message)
    const message = withRemedy(error, path)
    throw new CommandError(isShown ? `${place}: ${message}` : message, 1, { cause: error })
  }
}

function withRemedy(error: Error, path: Path): string {
  const { message, cause } = error
  const [, file] = /^cannot read (?:tls\.\w+ |\w+File |the access rules )?(.+?): [^:]+$/s.exec(message) ?? []
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (file === undefined || typeof code !== 'string') return message
  const setting = /^cannot read tls\./.test(message) ? '' : `${pathInWords(path)}: `
  return `${setting}${message.replace(/; name a YAML or JSON file$/, '')}; ${remedyFor(code, file, path)}`
}

function remedyFor(code: string, file: string, path: Path): string {
  if (code === 'EACCES')
    return `let the user who runs the broker read it: chown or chmod ${file}, and the folders above it`
  if (code === 'ENOENT' && path.at(-1) === 'passwordFile') return `make it: godwit passwd -c ${file} NAME`
  return 'name a file that is there; a relative path is relative to the folder of the configuration'
}
