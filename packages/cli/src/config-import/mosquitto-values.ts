/** How mosquitto reads what stands behind an option. */
export type Kind =
  | { readonly kind: 'boolean' }
  /** A whole number; what it may be, where mosquitto says so. */
  | { readonly kind: 'number'; readonly least?: number; readonly most?: number }
  /** `14d`, as `persistent_client_expiration` has it. */
  | { readonly kind: 'duration' }
  /** One of some words. */
  | { readonly kind: 'word'; readonly words: readonly string[] }
  /** One word, whatever it is. */
  | { readonly kind: 'any word' }
  /** All of the line, comments too. `once`: mosquitto does not start when it stands twice. */
  | { readonly kind: 'text'; readonly once?: true }
  /** Read by the option itself, or not at all. */
  | { readonly kind: 'own' }

export const boolean: Kind = { kind: 'boolean' }
export const number = (least?: number, most?: number): Kind => ({
  kind: 'number',
  ...(least !== undefined && { least }),
  ...(most !== undefined && { most }),
})
export const word = (...words: readonly string[]): Kind => ({ kind: 'word', words })
export const text: Kind = { kind: 'text' }
export const textOnce: Kind = { kind: 'text', once: true }
export const duration: Kind = { kind: 'duration' }
export const anyWord: Kind = { kind: 'any word' }
export const own: Kind = { kind: 'own' }

/** A value as mosquitto reads it. */
interface ReadValue {
  readonly value: string
  /** What stands behind it, which mosquitto does not look at; empty for a comment. */
  readonly unread: string
}

/** What mosquitto makes of the text behind an option: one word of it, or all. A refusal says what it takes. */
export function readValue(kind: Kind, written: string): ReadValue | { readonly refused: string } {
  if (kind.kind === 'own') return { value: written, unread: '' }
  if (written === '') return { refused: 'nothing stands behind it' }
  if (kind.kind === 'text') return { value: written, unread: '' }
  const [value = '', ...rest] = written.split(/ +/) // a tab is no blank to mosquitto
  const behind = rest.join(' ')
  const unread = behind.startsWith('#') ? '' : behind
  switch (kind.kind) {
    case 'boolean':
      if (/^(true|1)$/.test(value)) return { value: 'true', unread }
      if (/^(false|0)$/.test(value)) return { value: 'false', unread }
      return { refused: `it takes true or false, not '${value}'` }
    case 'number':
      return readNumber(kind, value, unread)
    case 'duration':
      if (/^0*[1-9]\d*[shdwmy]$/.test(value)) return { value, unread }
      return { refused: `it takes a duration such as 14d (h, d, w, m or y), not '${value}'` }
    case 'word':
      if (kind.words.includes(value)) return { value, unread }
      return { refused: `it takes ${kind.words.join(', ')}, not '${value}'` }
    case 'any word':
      return { value, unread }
  }
}

/** 2.0 reads as far as there are digits and takes 0 where there are none; 2.1 refuses, and reads 010 as eight. */
function readNumber(
  { least, most }: { readonly least?: number; readonly most?: number },
  value: string,
  unread: string,
): ReadValue | { readonly refused: string } {
  if (!/^[+-]?(0|[1-9]\d*)$/.test(value))
    return { refused: `it takes a whole number, not '${value}', which mosquitto 2.0 and 2.1 read differently` }
  const parsed = Number(value)
  if (Math.abs(parsed) >= 2 ** 31) return { refused: `${value} is beyond what mosquitto can count` }
  if (least !== undefined && parsed < least) return { refused: `it takes ${rangeOf(least, most)}, not ${value}` }
  if (most !== undefined && parsed > most) return { refused: `it takes ${rangeOf(least, most)}, not ${value}` }
  return { value: String(parsed), unread }
}

function rangeOf(least: number | undefined, most: number | undefined): string {
  if (most === undefined) return `${least} or more`
  return least === undefined ? `${most} or less` : `${least} to ${most}`
}
