import { inWords } from './in-words.js'
import { MessageRefusedError } from './outlet-options.js'

/** A batch as the body of a request. */
export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  readonly signal: AbortSignal
  /** Statuses that say of the body that it will never do. Default: 400, 413, 415 and 422. */
  readonly refusedBy?: readonly number[]
}

/** Of an answer so many bytes are read, for what is told of it. */
const mostAnswerBytes = 1_000
const unfit = [400, 413, 415, 422]

/**
 * Sends a batch by HTTP, to this address and no other.
 * @throws MessageRefusedError for a status that refuses the body; Error for any other that is none of success, and for a server that
 * cannot be reached, with the reason.
 */
export async function post(url: URL, { headers, body, signal, refusedBy = unfit }: PostOptions): Promise<void> {
  let response: Response
  try {
    response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' })
  } catch (error) {
    throw new Error(`${url.host} cannot be reached: ${inWords(reasonOf(error))}`, { cause: error })
  }
  const text = await firstWords(response)
  if (response.ok) return
  const problem = `${url.host} answers ${response.status}${text === '' ? '' : `: ${text}`}`
  throw refusedBy.includes(response.status) ? new MessageRefusedError(problem) : new Error(problem)
}

/** `fetch` hides it behind "fetch failed". */
const reasonOf = (error: unknown): unknown => (error instanceof Error && error.cause ? error.cause : error)

/** All of a short answer, so that its connection can be used again. */
async function firstWords(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= mostAnswerBytes) break // the rest is not read, and the connection ends
  }
  const text = Buffer.concat(chunks).subarray(0, mostAnswerBytes).toString()
  return text
    .replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, 200)
}
