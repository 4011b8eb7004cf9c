// Runs the module script of an HTML page as a browser would load it: bare specifiers by the page's import map and by
// nothing else, a WebSocket that says where the page is from, a document of named elements. Called by check-examples.mjs.
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import WebSocket from 'ws'
import { root } from './prepare.mjs'

const [page = '', port = '', origin = '', wanted = ''] = process.argv.slice(2)
const html = readFileSync(page, 'utf8')
const { imports } = JSON.parse(scriptOf('importmap'))

const resolver = `
  const imports = ${JSON.stringify(imports)}
  export async function resolve(specifier, context, next) {
    if (specifier in imports) return { url: new URL('.' + imports[specifier], ${JSON.stringify(`${pathToFileURL(root)}/`)}).href, shortCircuit: true }
    if (!/^(\\.|\\/|data:)/.test(specifier)) throw new Error('the import map does not have ' + specifier)
    return next(specifier, context)
  }`

/** @type {Map<string, { textContent: string }>} */
const elements = new Map([...html.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => [id, { textContent: '' }]))
Object.assign(globalThis, {
  WebSocket: class extends WebSocket {
    /**
     * @param {string} url
     * @param {string[]} protocols
     */
    constructor(url, protocols) {
      super(url, protocols, { origin })
    }
  },
  document: { querySelector: (/** @type {string} */ selector) => elements.get(selector.slice(1)) ?? null },
})

register(`data:text/javascript,${encodeURIComponent(resolver)}`)
const source = scriptOf('module').replace('localhost:8083', `localhost:${port}`)
const loaded = import(`data:text/javascript,${encodeURIComponent(source)}`)
const limit = Date.now() + 10_000
await loaded
while (![...elements.values()].some(({ textContent }) => textContent === wanted)) {
  if (Date.now() > limit) {
    console.error(`the page never shows "${wanted}": ${JSON.stringify([...elements])}`)
    process.exit(1)
  }
  await new Promise((resolve) => setTimeout(resolve, 20))
}
console.log(wanted)
process.exit(0)

/** @param {string} type */
function scriptOf(type) {
  const [, text] = new RegExp(`<script type="${type}">([\\s\\S]*?)</script>`).exec(html) ?? []
  if (text === undefined) throw new Error(`${join(page)} has no script of type ${type}`)
  return text
}
