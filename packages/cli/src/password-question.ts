import type { ConnectionSettings } from './connection-options.js'
import { askPassword, isKeyboard } from './password-prompt.js'
import type { Terminal } from './terminal.js'

/** The connection with the password that whoever sits at the keyboard types: for a saved server that lacks it. */
export async function withAskedPassword(
  connection: ConnectionSettings,
  terminal: Terminal,
): Promise<ConnectionSettings> {
  const { askFor, options } = connection
  if (askFor === undefined || !isKeyboard(terminal.stdin)) return connection
  const password = await askPassword(`password of ${options.username} at ${askFor}: `, terminal.stdin, terminal)
  return password === '' ? connection : { ...connection, options: { ...options, password } }
}
