import type { OutletView } from './outlet-view.js'

/**
 * Where a plugin's context has what whoever runs it wants to know of it; a plugin may come with a copy of this package of its own.
 */
const key = Symbol.for('godwit.plugin.watched')

/** Makes a function one whose entering and leaving is told to whoever watches the plugin. */
type Watching = <F extends (...args: never[]) => unknown>(name: string, call: F) => F

/** What is known of a plugin behind its own object. */
interface Known {
  readonly watching: Watching
  readonly outlets: Set<{ readonly view: OutletView }>
}

const knownOf = (context: object): Known | undefined => (context as { [key]?: Known })[key]

/** The same context, for {@link watchedCall} and {@link showOutlet}. */
export function withWatching<Context extends object>(context: Context, watching: Watching): Context {
  return Object.defineProperty(context, key, { value: { watching, outlets: new Set() } satisfies Known })
}

/** A function that a plugin calls again and again behind its hooks, watched as these are. */
export function watchedCall<F extends (...args: never[]) => unknown>(context: object, name: string, call: F): F {
  return knownOf(context)?.watching(name, call) ?? call
}

/** Shows an outlet among those of its plugin. @returns what ends that. */
export function showOutlet(context: object, outlet: { readonly view: OutletView }): () => void {
  const outlets = knownOf(context)?.outlets
  outlets?.add(outlet)
  return () => void outlets?.delete(outlet)
}

/** The outlets that a plugin has opened, as they are now. */
export function outletsOf(context: object): readonly OutletView[] {
  return [...(knownOf(context)?.outlets ?? [])].map(({ view }) => view)
}
