import { nearest } from '@godwit/protocol'
import { BrokerError } from './errors.js'

/** Every name that `T` has, so that none is forgotten: a new one does not compile without. */
export type NamesOf<T> = { readonly [K in T extends unknown ? keyof T : never]-?: true }

/**
 * Refuses names that are no options: what plain JavaScript passes by mistake would be accepted, and do nothing.
 * @param where how the options are called, for the message: `limits`, `listen`.
 * @param elsewhere names that stand for something at another place or under another name: what to say instead.
 * @throws BrokerError `invalid-option`.
 */
export function checkNames(
  given: object | undefined,
  known: Readonly<Record<string, true>>,
  where: string,
  elsewhere: Readonly<Record<string, string>> = {},
): void {
  if (given === undefined) return
  if (typeof given !== 'object' || given === null) {
    throw new BrokerError('invalid-option', `${where} is ${String(given)}; it takes an object`)
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) throw unknownName(name, Object.keys(known), where, elsewhere)
  }
}

/** What is wrong with a name, and which may have been meant. */
export function unknownName(
  name: string,
  known: readonly string[],
  where: string,
  elsewhere: Readonly<Record<string, string>>,
): BrokerError {
  const instead = Object.hasOwn(elsewhere, name) ? elsewhere[name] : undefined
  const meant = nearest(name, known)
  const advice =
    instead !== undefined
      ? `here that is ${instead}`
      : meant !== undefined
        ? `did you mean ${meant}?`
        : `there are ${known.join(', ')}`
  return new BrokerError('invalid-option', `${where} has no ${name}; ${advice}`)
}
