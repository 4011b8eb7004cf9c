/** What a payload was read as. */
export type Decoded =
  | {
      readonly kind: 'text'
      readonly text: string
      /** Numbers in it, by where they stand; a payload that is a number has one under the empty name. */
      readonly numbers: ReadonlyMap<string, number>
    }
  | { readonly kind: 'image'; readonly type: string }

export type Decoder = (bytes: Uint8Array<ArrayBuffer>) => Decoded

/** More of a text nobody reads. */
export const mostText = 65_536
const mostNumbers = 50
const mostDepth = 4

export function textOf(text: string, numbers: ReadonlyMap<string, number> = new Map()): Decoded {
  const shown = text.length > mostText ? `${text.slice(0, mostText)}…` : text
  return { kind: 'text', text: shown, numbers }
}

/** A value as people read it, with the numbers in it. */
export function structureOf(value: unknown): Decoded {
  return textOf(JSON.stringify(value, plainly, 2) ?? 'undefined', numbersIn(value))
}

/** What JSON has no form for. */
function plainly(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : `${value}`
  if (value instanceof Uint8Array) return hexOf(value)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [String(key), one]))
  return value
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

function numbersIn(value: unknown): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  const walk = (at: string, one: unknown, depth: number): void => {
    if (found.size >= mostNumbers || depth > mostDepth) return
    const number = numberOf(one)
    if (number !== undefined) found.set(at, number)
    else for (const [key, inner] of entriesOf(one)) walk(at === '' ? key : `${at}.${key}`, inner, depth + 1)
  }
  walk('', value, 0)
  return found
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return []
  return value instanceof Map ? [...value].map(([key, one]) => [String(key), one]) : Object.entries(value)
}
