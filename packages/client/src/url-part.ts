import { invalidOption } from './errors.js'

/**
 * A part of a URL as it is meant.
 * @param shown Begins the message.
 * @throws InvalidArgumentError.
 */
export function decodedPart(part: string, shown: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalidOption(`${shown}: '%' in a user name, a password or a path must be written '%25'`)
  }
}
