/** An error in one line, with what has caused it. */
export function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message, cause, name } = error
  const said = message || innermost(error) || name
  const because = cause instanceof Error && !message.includes(cause.message) ? `: ${inWords(cause)}` : ''
  return `${said}${because}`.replaceAll(/\s*\n\s*/g, '; ')
}

/** Of an error that stands for several, as when a name has several addresses. */
const innermost = (error: Error): string =>
  error instanceof AggregateError ? error.errors.map((one: unknown) => inWords(one)).join(', ') : ''

/** What a BrokerError is called: by its name, for a plugin may come with a copy of this package of its own. */
export const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null | undefined)?.code
