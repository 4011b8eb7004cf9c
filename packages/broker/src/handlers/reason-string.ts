import type { Context } from './context.js'

/** The properties of an answer that refuses, saying why; none for a client that cannot be told, or asked not to be. */
export function reasonInWords(
  c: Pick<Context, 'version' | 'wantsReasons'>,
  reasonString: string,
): { readonly properties: { readonly reasonString: string } } | undefined {
  return c.version === 5 && c.wantsReasons ? { properties: { reasonString } } : undefined
}
