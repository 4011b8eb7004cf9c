// The built site, served on this machine as its host would: under the path of package.json's `homepage`.
import { once } from 'node:events'
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { PrepareError, readJson, root } from './prepare.mjs'

export const dist = join(root, 'docs/.vitepress/dist')
export const base = new URL(readJson('package.json').homepage).pathname

/** @type {Readonly<Record<string, string>>} */
const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}

/** The paths of all pages, from the site's root: `start.html`. */
export function sitePages() {
  if (!existsSync(dist)) throw new PrepareError('the site is not built: npm run docs')
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.html') && name !== '404.html')
    .sort()
}

/**
 * The file that a path of the site shows, if there is one.
 * @param {string} path from the host's root.
 */
export function fileOf(path) {
  if (!path.startsWith(base)) return undefined
  const file = join(dist, decodeURIComponent(path.slice(base.length)))
  const candidates = [file, `${file}.html`, join(file, 'index.html')]
  return candidates.find((one) => one.startsWith(dist) && existsSync(one) && statSync(one).isFile())
}

/** Serves it until `close` is called. */
export async function serveSite() {
  const server = createServer(({ url = '/' }, response) => {
    const file = fileOf(new URL(url, 'http://localhost').pathname)
    if (!file) return void response.writeHead(404).end()
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream')
    createReadStream(file).pipe(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { url: `http://127.0.0.1:${port}${base}`, close: () => server.close() }
}
