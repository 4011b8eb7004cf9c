import { BrokerError } from '@godwit/broker'
import { CommandError } from '../command-error.js'
import type { Path } from './layers.js'
import type { Resolved } from './resolve.js'

/** Beginning of a message that says by itself where something is wrong: `passwords:4: `, `rules.yaml:2:5: `. */
const hasPlace = /^\S+:\d+(:\d+)?: /

/**
 * Makes what a setting asks for. What fails then is told with the place where the setting stands, unless that is the
 * command line or it says another place by itself.
 * @throws CommandError
 */
export async function inPlace<T>({ origin }: Resolved, path: Path, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof BrokerError || error instanceof CommandError)) throw error
    const place = origin(path)
    const isShown = place !== 'default' && !place.startsWith('--') && !hasPlace.test(error.message)
    throw new CommandError(isShown ? `${place}: ${error.message}` : error.message, 1, { cause: error })
  }
}
