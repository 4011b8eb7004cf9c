import { isUtf8 } from 'node:buffer'
import { embeddedPayload } from './message-json.js'
import { escapedControls } from './safe-text.js'

/** How `--as` shows payloads. */
export const viewNames = ['json', 'hex', 'msgpack', 'cbor', 'text', 'raw'] as const
export type ViewName = (typeof viewNames)[number]

/** A payload as it is shown; undefined when it is not what the view is for. */
export type PayloadView = (payload: Uint8Array) => string | Uint8Array | undefined

interface ViewOptions {
  /** JSON on many lines, indented. */
  readonly pretty: boolean
  /** Somebody looks at it: nothing may move the cursor, ring or clear. */
  readonly isTerminal: boolean
}

/** The view of that name; decoders are loaded only when one is asked for. */
export async function payloadView(name: ViewName, { pretty, isTerminal }: ViewOptions): Promise<PayloadView> {
  const shown = (json: string): string => (pretty ? indentedJson(json) : json)
  switch (name) {
    case 'raw':
      return (payload) => payload
    case 'hex':
      return (payload) => Buffer.from(payload).toString('hex')
    case 'text':
      return (payload) => (isTerminal ? escapedControls(textOf(payload)) : textOf(payload))
    case 'json':
      return (payload) => {
        const json = embeddedPayload(payload)
        return json === undefined ? undefined : shown(json)
      }
    case 'msgpack': {
      const { decode, ExtData } = await import('@msgpack/msgpack')
      const plain = (value: unknown): unknown =>
        value instanceof ExtData ? { type: value.type, data: value.data } : value
      return (payload) => orUndefined(() => shown(jsonOf(decode(payload, { useBigInt64: true }), plain)))
    }
    case 'cbor': {
      const { decode } = await import('cborg')
      const options = { useMaps: true, allowBigInt: true, tags: anyTag }
      return (payload) => orUndefined(() => shown(jsonOf(decode(payload, options))))
    }
  }
}

/** What stands on a terminal when nobody has asked for a view: text, and bytes that are none as hex. */
export function terminalView(payload: Uint8Array): string {
  if (isUtf8(payload) && !payload.includes(0)) return escapedControls(textOf(payload))
  const bytes = Buffer.from(payload.subarray(0, mostBytesShown)).toString('hex')
  const more = payload.length > mostBytesShown ? '…' : ''
  return `(${payload.length} bytes) ${bytes}${more}`
}

const mostBytesShown = 64

/** Whether {@link terminalView} shows it as hex. */
export function isBinary(payload: Uint8Array): boolean {
  return !isUtf8(payload) || payload.includes(0)
}

/** Tags of CBOR that nobody here knows stand beside what they are about. */
const anyTag = new Proxy([] as unknown as Record<number, (decode: () => unknown) => unknown>, {
  get: (_, tag) => (decode: () => unknown) => ({ tag: Number(tag), value: decode() }),
})

function orUndefined(show: () => string): string | undefined {
  try {
    return show()
  } catch {
    return undefined
  }
}

/**
 * Decoded values as JSON. What JSON does not have stands as what comes closest: bytes as hex, large numbers with all their
 * digits, a map whose keys are no texts as pairs, a time as ISO 8601.
 */
function jsonOf(value: unknown, plain: (value: unknown) => unknown = (same) => same): string {
  const given = plain(value)
  const each = (inner: unknown): string => jsonOf(inner, plain)
  if (typeof given === 'bigint') return given.toString()
  if (typeof given === 'number' && !Number.isFinite(given)) return JSON.stringify(String(given))
  if (given instanceof Uint8Array) return JSON.stringify(Buffer.from(given).toString('hex'))
  if (given instanceof Date) return JSON.stringify(given.toISOString())
  if (Array.isArray(given)) return `[${given.map(each).join(',')}]`
  if (given instanceof Map) {
    const entries = [...given]
    if (!entries.every(([key]) => typeof key === 'string' || typeof key === 'number')) return each(entries)
    return `{${entries.map(([key, inner]) => `${JSON.stringify(String(key))}:${each(inner)}`).join(',')}}`
  }
  if (typeof given === 'object' && given !== null) {
    return `{${Object.entries(given)
      .map(([key, inner]) => `${JSON.stringify(key)}:${each(inner)}`)
      .join(',')}}`
  }
  return JSON.stringify(given) ?? 'null'
}

/** The same JSON on many lines. By its tokens: numbers keep their digits, and what is named twice stays. */
export function indentedJson(json: string): string {
  let text = ''
  let depth = 0
  const line = (): string => `\n${'  '.repeat(depth)}`
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{[]\s*[\]}]|[{}[\],:]|[^\s"{}[\],:]+/gs)) {
    if (token === '{' || token === '[') {
      depth++
      text += token + line()
    } else if (token === '}' || token === ']') {
      depth--
      text += line() + token
    } else if (token === ',') text += token + line()
    else if (token === ':') text += ': '
    else text += /^[{[]/.test(token) ? token[0]! + token.at(-1)! : token
  }
  return text
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
