import { type Decoded, type Decoder, textOf } from './decoders/decoded.js'

/** What a payload can be read as. */
const forms = ['auto', 'text', 'json', 'messagePack', 'cbor', 'sparkplug', 'image', 'hex'] as const
export type Form = (typeof forms)[number]

type Loaded = Exclude<Form, 'auto' | 'text'>

/** Each is loaded when a payload first asks for it. */
const loaders: Readonly<Record<Loaded, () => Promise<{ readonly decode: Decoder }>>> = {
  json: () => import('./decoders/json.js'),
  messagePack: () => import('./decoders/message-pack.js'),
  cbor: () => import('./decoders/cbor.js'),
  sparkplug: () => import('./decoders/sparkplug.js'),
  image: () => import('./decoders/image.js'),
  hex: () => import('./decoders/hex.js'),
}

/** No more of a payload is read. */
const mostBytes = 1_048_576

export interface Read {
  readonly form: Exclude<Form, 'auto'>
  readonly decoded: Decoded
}

/**
 * Reads a payload, as it is asked to or as it seems to be.
 * @throws where it is none of what is asked for.
 */
export async function read(
  payload: Uint8Array,
  {
    form,
    topic,
    contentType,
  }: { readonly form: Form; readonly topic: string; readonly contentType: string | undefined },
): Promise<Read> {
  const bytes = new Uint8Array(payload.subarray(0, mostBytes))
  if (form !== 'auto') return { form, decoded: await readAs(form, bytes) }
  for (const likely of likelyForms(bytes, topic, contentType)) {
    try {
      return { form: likely, decoded: await readAs(likely, bytes) }
    } catch {
      // it was not
    }
  }
  return { form: 'hex', decoded: await readAs('hex', bytes) }
}

async function readAs(form: Exclude<Form, 'auto'>, bytes: Uint8Array<ArrayBuffer>): Promise<Decoded> {
  if (form === 'text') return plainText(bytes)
  return (await loaders[form]()).decode(bytes)
}

function plainText(bytes: Uint8Array): Decoded {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  const number = text.trim() === '' ? Number.NaN : Number(text)
  return textOf(text, Number.isFinite(number) ? new Map([['', number]]) : undefined)
}

const byContentType: readonly (readonly [RegExp, Exclude<Form, 'auto'>])[] = [
  [/json/i, 'json'],
  [/cbor/i, 'cbor'],
  [/msgpack|messagepack/i, 'messagePack'],
  [/^image\//i, 'image'],
  [/^text\//i, 'text'],
]

/** What a payload may be, the likeliest first. */
function likelyForms(bytes: Uint8Array, topic: string, contentType = ''): readonly Exclude<Form, 'auto'>[] {
  const said = byContentType.find(([form]) => form.test(contentType))?.[1]
  const first = bytes[0] ?? 0
  const isStructure = first === 0x7b || first === 0x5b // { or [
  return [
    ...(said ? [said] : []),
    ...(topic.startsWith('spBv1.0/') ? (['sparkplug'] as const) : []),
    ...(isStructure ? (['json'] as const) : []),
    'text',
    ...(first === 0x89 || first === 0xff || first === 0x47 || first === 0x52 ? (['image'] as const) : []),
    // Only maps and lists: any byte is a number to both.
    ...(isMapOrList(first) ? (['messagePack', 'cbor'] as const) : []),
  ]
}

function isMapOrList(first: number): boolean {
  return (first >= 0x80 && first <= 0xbf) || (first >= 0xdc && first <= 0xdf)
}
