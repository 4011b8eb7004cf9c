import { Document, type Scalar, visit } from 'yaml'
import type { Path } from './layers.js'
import type { Resolved } from './resolve.js'
import { hidden, isSecret, withoutCredentials } from './secrets.js'

/** The configuration as YAML that may be used as a file, with the origin of each value behind it; secrets are not shown. */
export function printed({ config, origin }: Resolved): string {
  return commented(config, origin, shown)
}

/** A value as it may be shown: a secret is not. */
export function shown(path: Path, value: unknown): unknown {
  if (isSecret(path)) return hidden
  return typeof value === 'string' ? withoutCredentials(value) : value
}

/** YAML with something to say behind its values. */
export function commented(
  values: object,
  comment: (path: Path) => string | undefined,
  look: (path: Path, value: unknown) => unknown = (_, value) => value,
): string {
  const document = new Document(values)
  visit(document, {
    Scalar(_, node, ancestors) {
      const path = pathOf(ancestors, node)
      if (path === undefined) return
      node.value = look(path, node.value)
      const text = comment(path)
      if (text !== undefined) node.comment = ` ${text}`
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
