import type { Path } from './layers.js'
import { configSchema } from './schema.js'

/** What is looked at of a schema. */
interface Schema {
  readonly shape?: Readonly<Record<string, unknown>>
  readonly element?: unknown
  readonly valueType?: unknown
  readonly type?: string
}

/** The keys that may stand under a path; none where anything may. */
export function keysAt(path: Path): readonly string[] {
  return Object.keys(schemaAt(path)?.shape ?? {})
}

/** Whether what stands there is text whatever it looks like: a secret of digits is no number. */
export function isTextAt(path: Path): boolean {
  return schemaAt(path)?.type === 'string'
}

/** A path in words: `listeners[0].port`. */
export function pathInWords(path: Path): string {
  return path.reduce<string>((words, step) => {
    if (typeof step === 'number') return `${words}[${step}]`
    return words === '' ? step : `${words}.${step}`
  }, '')
}

function schemaAt(path: Path): Schema | undefined {
  let schema: unknown = configSchema
  for (const step of path) {
    if (schema === undefined) return undefined
    const { shape, element, valueType } = plain(schema)
    schema = element !== undefined && /^\d+$/.test(String(step)) ? element : (shape?.[step] ?? valueType)
  }
  return schema === undefined ? undefined : plain(schema)
}

/** Without what makes a schema optional or gives it a default. */
function plain(schema: unknown): Schema {
  const { unwrap } = schema as { unwrap?: () => unknown }
  const isArray = 'element' in (schema as object)
  return unwrap && !isArray ? plain(unwrap.call(schema)) : (schema as Schema)
}
