import type { Path } from './layers.js'

/** What stands in the place of a secret that is shown. */
export const hidden = '<secret>'

/** Those of plugins too, which are to call theirs so. */
const secrets: ReadonlySet<string> = new Set(['secret', 'passphrase', 'password', 'token'])

/** Whether what stands there is never shown. */
export function isSecret(path: Path): boolean {
  const [last, above] = [path.at(-1), path.at(-2)]
  return (typeof last === 'string' && secrets.has(last)) || above === 'headers' || above === 'secret'
}

/** A URL without the user name and password in it; any other text as it is. */
export function withoutCredentials(text: string): string {
  return text.replace(/^(\w+:\/\/)[^/?#]*@/, `$1${hidden}@`)
}
