/** Where a plugin's context has what makes a function of it watched; a plugin may come with a copy of this package of its own. */
const key = Symbol.for('godwit.plugin.watched')

/** Makes a function one whose entering and leaving is told to whoever watches the plugin. */
export type Watching = <F extends (...args: never[]) => unknown>(name: string, call: F) => F

/** The same context, for {@link watchedCall}. */
export function withWatching<Context extends object>(context: Context, watching: Watching): Context {
  return Object.defineProperty(context, key, { value: watching })
}

/** A function that a plugin calls again and again behind its hooks, watched as these are. */
export function watchedCall<F extends (...args: never[]) => unknown>(context: object, name: string, call: F): F {
  const watching = (context as { [key]?: Watching })[key]
  return watching ? watching(name, call) : call
}
