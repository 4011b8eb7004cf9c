import type { Path } from './layers.js'

/** What stands in the place of a secret that is shown. */
export const hidden = '<secret>'

/** Whether what stands there is never shown. */
export function isSecret(path: Path): boolean {
  return path.at(-1) === 'secret' || path.at(-1) === 'passphrase' || path.at(-2) === 'headers'
}

/** A URL without the user name and password in it; any other text as it is. */
export function withoutCredentials(text: string): string {
  return text.replace(/^(\w+:\/\/)[^/?#]*@/, `$1${hidden}@`)
}
