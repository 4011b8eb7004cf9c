import { statSync } from 'node:fs'
import type { Path } from './layers.js'
import type { Resolved } from './resolve.js'
import { pathInWords } from './schema-path.js'
import { isSecret } from './secrets.js'

/**
 * Files that hold a secret and that anyone on this machine may read, each as a warning of one line; files that are not
 * there are somebody else's complaint.
 */
export function exposedSecrets({ config, origin }: Resolved): readonly string[] {
  const ways: { path: Path; value: object }[] = config.listeners.flatMap(({ tls, auth }, at) => [
    ...(tls ? [{ path: ['listeners', at, 'tls'], value: tls }] : []),
    ...(auth ? authParts(auth, ['listeners', at, 'auth']) : []),
  ])
  for (const [at, one] of config.bridges.entries()) {
    ways.push({ path: ['bridges', at], value: one })
    if (one.tls) ways.push({ path: ['bridges', at, 'tls'], value: one.tls })
  }
  const { tls } = config.http
  if (tls) ways.push({ path: ['http', 'tls'], value: tls })
  const plugins = config.plugins.map(({ options = {} }, at) => ({ path: ['plugins', at, 'options'], value: options }))
  const parts: readonly { path: Path; value: object }[] = [...ways, ...authParts(config.auth, ['auth']), ...plugins]
  const files = parts.flatMap(({ path, value }) =>
    Object.entries(value).flatMap(([key, given]) => {
      const place = origin([...path, key])
      if (fileKeys.has(key) || (path[0] === 'plugins' && key.endsWith('File')))
        return [{ file: String(given), what: pathInWords([...path, key]) }]
      if (key === 'headers' || isSecret([...path, key])) {
        const [, file] = /^(.+):\d+:\d+$/.exec(place) ?? []
        return file === undefined
          ? []
          : [{ file, what: `the configuration, which holds ${pathInWords([...path, key])}` }]
      }
      return []
    }),
  )
  return [...new Map(files.map((entry) => [entry.file, entry])).values()]
    .filter(({ file }) => isReadableByOthers(file))
    .map(({ file, what }) => `${file} (${what}) can be read by every user of this machine; chmod o-r ${file}`)
}

const fileKeys = new Set(['key', 'passphraseFile', 'passwordFile', 'secretFile', 'headersFile', 'passwordFrom'])

function authParts(auth: Resolved['config']['auth'], path: Path): readonly { path: Path; value: object }[] {
  const { jwt, http } = auth
  return [
    { path, value: auth },
    ...(jwt ? [{ path: [...path, 'jwt'], value: jwt }] : []),
    ...(http ? [{ path: [...path, 'http'], value: http }] : []),
  ]
}

function isReadableByOthers(file: string): boolean {
  try {
    return (statSync(file).mode & 0o004) !== 0
  } catch {
    return false
  }
}
