import { Document, type Scalar, visit } from 'yaml'
import type { Path } from './layers.js'
import type { Resolved } from './resolve.js'

/** Values that are never shown. */
const secret = /^(secret|password|passphrase|token)$/i

/** The configuration as YAML that may be used as a file, with the origin of each value behind it. */
export function printed({ config, origin }: Resolved): string {
  const document = new Document(config)
  visit(document, {
    Scalar(_, node, ancestors) {
      const path = pathOf(ancestors, node)
      if (path === undefined) return
      if (secret.test(String(path.at(-1)))) node.value = '***'
      node.comment = ` ${origin(path)}`
    },
  })
  return document.toString({ lineWidth: 0 })
}

interface Holder {
  readonly items?: readonly unknown[]
  readonly key?: unknown
  readonly value?: unknown
}

/** The path of a value; undefined for a key. */
function pathOf(ancestors: readonly unknown[], node: Scalar): Path | undefined {
  const path: (string | number)[] = []
  const chain = [...ancestors, node] as readonly Holder[]
  for (const [at, holder] of chain.entries()) {
    const below = chain[at + 1]
    if (!below) break
    if ('key' in holder) {
      if (holder.key === below) return undefined
      path.push(String((holder.key as Scalar).value))
    } else if (holder.items && !('key' in below)) path.push(holder.items.indexOf(below))
  }
  return path
}
