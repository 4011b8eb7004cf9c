const slots = 1024
/** Longer topics are decoded each time: the cache is for the many short ones, and its memory has a bound. */
const maxBytes = 256

interface Entry {
  readonly bytes: Uint8Array
  readonly text: string
}

const entries: (Entry | undefined)[] = new Array(slots).fill(undefined)

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  return (hash ^ (hash >>> 15)) & (slots - 1)
}

/**
 * Topic Names seen before, by their bytes: the same topic again costs a comparison instead of a decoding and a
 * validation, and is the same string object, whose hash a Map has already. Only legal Topic Names without control
 * characters are put in, so what is found is right for every decoder. One slot a hash; the last one in stays.
 */
export function findTopic(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start
  if (length > maxBytes) return undefined
  const entry = entries[slotOf(bytes, start, end)]
  if (entry === undefined || entry.bytes.length !== length) return undefined
  const known = entry.bytes
  for (let at = 0; at < length; at++) if (known[at] !== bytes[start + at]) return undefined
  return entry.text
}

export function rememberTopic(bytes: Uint8Array, start: number, end: number, text: string): void {
  if (end - start > maxBytes) return
  entries[slotOf(bytes, start, end)] = { bytes: bytes.slice(start, end), text }
}
