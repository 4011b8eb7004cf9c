import { resolve } from 'node:path'

/** Settings that are paths of files or folders; words that are none; what a text must look like to be one. */
const paths: readonly { readonly at: RegExp; readonly words?: readonly unknown[]; readonly form?: RegExp }[] = [
  { at: /^data$/, words: ['memory'] },
  { at: /^control$/, words: ['none'] },
  { at: /^http\.tokensFile$/ },
  { at: /^http\.tls\.(cert|key|passphraseFile)$/ },
  { at: /^cluster\.(credentialsFile|passwordFile|tls\.(ca|cert|key))$/ },
  { at: /^cluster\.forward\.tls\.(ca|cert|key|passphraseFile)$/ },
  { at: /^backup\.directory$/ },
  { at: /^log\.file$/ },
  { at: /^listeners\.\d+\.socket$/ },
  { at: /^listeners\.\d+\.tls\.(cert|key|ca|crl|passphraseFile)$/ },
  { at: /^(listeners\.\d+\.)?auth\.passwordFile$/ },
  { at: /^(listeners\.\d+\.)?auth\.jwt\.(secretFile|publicKeyFile)$/ },
  { at: /^(listeners\.\d+\.)?auth\.http\.headersFile$/ },
  { at: /^(listeners\.\d+\.)?acl\.file$/ },
  { at: /^plugins\.\d+\.module$/, form: /^\.{0,2}[/\\]/ },
  { at: /^plugins\.\d+\.options\.(.*\.)?\w*File$/ },
  { at: /^bridges\.\d+\.passwordFrom$/ },
  { at: /^bridges\.\d+\.tls\.(ca|cert|key|passphraseFile)$/ },
  { at: /^bridges\.\d+\.tls\.ca\.\d+$/ },
]

/**
 * The values with every path whole: a relative one in a file is relative to the folder of that file, wherever the broker is
 * started from.
 */
export function withWholePaths<Values extends object>(values: Values, folder: string): Values {
  return whole(values, '', folder) as Values
}

function whole(value: unknown, at: string, folder: string): unknown {
  const inner = (key: string | number): string => (at === '' ? `${key}` : `${at}.${key}`)
  if (Array.isArray(value)) return value.map((item, index) => whole(item, inner(index), folder))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, whole(item, inner(key), folder)]))
  }
  const isPath = paths.some(
    ({ at: place, words = [], form }) =>
      place.test(at) && !words.includes(value) && (form === undefined || form.test(String(value))),
  )
  // An empty one is somebody else's complaint, and so is what is PEM itself.
  return isPath && typeof value === 'string' && value !== '' && !value.includes('-----BEGIN')
    ? resolve(folder, value)
    : value
}
