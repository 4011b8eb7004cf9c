import { ProtocolError } from './errors.js'
import { isTopicFilter } from './topic.js'

type Named<L extends string> = L extends `+${infer N}` | `#${infer N}` ? (N extends '' ? never : N) : never
type Names<F extends string> = F extends `${infer L}/${infer Rest}` ? Named<L> | Names<Rest> : Named<F>

/** What the named wildcards of a pattern stand for: `TopicParams<'home/+room/temp'>` is `{ readonly room: string }`. */
export type TopicParams<F extends string> = string extends F
  ? Readonly<Record<string, string>>
  : { readonly [K in Names<F>]: string }

/**
 * A Topic Filter whose wildcards may have names. MQTT lets a wildcard stand only alone in its level, so no legal filter
 * can be mistaken for a named one.
 */
export interface TopicPattern<F extends string = string> {
  readonly pattern: F
  /** What goes over the wire: `home/+room/temp` is subscribed to as `home/+/temp`. */
  readonly filter: string
  /** The values of the named wildcards in a topic that matches. */
  params(topic: string): TopicParams<F>
}

/** @throws ProtocolError `topic-filter-invalid` when the filter is not legal or a name is used twice. */
export function topicPattern<const F extends string>(pattern: F): TopicPattern<F> {
  // `$share/group/` in front does not belong to the topics that come back.
  const shared = /^\$share\/[^/]*\//.exec(pattern)?.[0] ?? ''
  const names: (readonly [at: number, name: string, rest: boolean])[] = []
  const levels = pattern
    .slice(shared.length)
    .split('/')
    .map((level, at) => {
      const name = /^[+#]([A-Za-z_][A-Za-z0-9_]*)$/.exec(level)?.[1]
      if (name === undefined) return level
      names.push([at, name, level.startsWith('#')])
      return level.slice(0, 1)
    })
  const filter = shared + levels.join('/')
  if (!isTopicFilter(filter)) {
    throw new ProtocolError('topic-filter-invalid', `${JSON.stringify(pattern)} is not a topic filter`)
  }
  if (new Set(names.map(([, name]) => name)).size < names.length) {
    throw new ProtocolError('topic-filter-invalid', `${JSON.stringify(pattern)} uses a name twice`)
  }
  return { pattern, filter, params: (topic) => paramsOf(names, topic) as TopicParams<F> }
}

function paramsOf(
  names: readonly (readonly [at: number, name: string, rest: boolean])[],
  topic: string,
): Record<string, string> {
  const levels = topic.split('/')
  // Not by assignment: a wildcard may be named __proto__.
  return Object.fromEntries(
    names.map(([at, name, rest]) => [name, rest ? levels.slice(at).join('/') : (levels[at] ?? '')]),
  )
}
