import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** Answers requests for the console's files. */
export interface ConsolePage {
  /** @returns `undefined` for what is none of them, and for other methods than GET and HEAD. */
  fetch(request: Request): Promise<Response | undefined>
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** Whatever a broker's clients have written: nothing of it can run, and nothing of the page goes elsewhere. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

interface BuiltFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly zipped: Uint8Array<ArrayBuffer>
  readonly type: string
  /** Its name changes with what is in it. */
  readonly isHashed: boolean
}

/**
 * The console: built files of this package, that need nothing from any network beyond the server they come from. Its API is that of
 * `@godwit/admin`, at the same origin.
 * @param folder where they are. Default: where the build puts them.
 */
export function consolePage(folder: string = fileURLToPath(new URL('../dist/page', import.meta.url))): ConsolePage {
  let files: Promise<ReadonlyMap<string, BuiltFile>> | undefined
  return {
    async fetch(request) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
      files ??= filesIn(folder)
      const { pathname } = new URL(request.url)
      const file = (await files).get(pathname === '/' ? '/index.html' : pathname)
      return file && responseOf(file, request)
    },
  }
}

function responseOf({ bytes, zipped, type, isHashed }: BuiltFile, request: Request): Response {
  const isZipped = /\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')
  const body = isZipped ? zipped : bytes
  return new Response(request.method === 'HEAD' ? null : body, {
    headers: {
      'content-type': type,
      'content-length': String(body.length),
      ...(isZipped && { 'content-encoding': 'gzip' }),
      vary: 'accept-encoding',
      'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    },
  })
}

/** They are read once, and kept: less than a megabyte. */
async function filesIn(folder: string): Promise<ReadonlyMap<string, BuiltFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const known = entries.filter((entry) => entry.isFile() && types[extname(entry.name)] !== undefined)
  const files = known.map(async (entry) => {
    const path = join(entry.parentPath, entry.name)
    const bytes = new Uint8Array(await readFile(path))
    const zipped = new Uint8Array(await promisify(gzip)(bytes, { level: 9 }))
    const at = `/${relative(folder, path).replaceAll(sep, '/')}`
    return [at, { bytes, zipped, type: types[extname(path)]!, isHashed: at.startsWith('/assets/') }] as const
  })
  return new Map(await Promise.all(files))
}
