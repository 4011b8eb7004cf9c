import { createRequire } from 'node:module'
import { openApiDocument } from '../src/index.js'

// biome-ignore lint/suspicious/noExplicitAny: CommonJS, whose types do not fit a default import
const load = createRequire(import.meta.url) as any
const { Ajv2020 } = load('ajv/dist/2020.js')
const addFormats = load('ajv-formats')

interface DescribedAnswer {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}

export interface DescribedOperation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<Record<string, DescribedAnswer>>
}

export interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>
}

/** The API's own description. */
export const document = openApiDocument() as unknown as Description
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats(ajv)
ajv.addSchema({ $id: 'openapi', ...document })

const known = new Map<string, (body: unknown) => boolean>()

/** What of an answer is not as the description says; empty: nothing. */
export function misfit(method: string, path: string, status: number, type: string, body: unknown): string {
  const operation = document.paths[path]?.[method.toLowerCase()]
  if (!operation)
    return status === 404 || status === 405 || status === 421 || status === 200
      ? ''
      : `${method} ${path} is not described`
  const answer = operation.responses[status]
  if (!answer) return `${operation.operationId} may not answer ${status}`
  if (!answer.content) return body === '' ? '' : `${operation.operationId} has no body for ${status}`
  const content = answer.content[type]
  if (!content) return `${operation.operationId} may not answer ${status} with ${type}`
  const pointer = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema']
  const reference = `openapi#/${pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
  let validate = known.get(reference)
  if (!validate) {
    validate = ajv.compile({ $ref: reference }) as (body: unknown) => boolean
    known.set(reference, validate)
  }
  return validate(body)
    ? ''
    : `${operation.operationId} ${status}: ${ajv.errorsText((validate as never as { errors: object[] }).errors)}`
}
