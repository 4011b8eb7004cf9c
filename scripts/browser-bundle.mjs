// Makes the client's files for a page without a bundler (@godwit/client/browser and the IndexedDB store beside it): what a client
// in a browser never needs is left out. bundle.mjs calls it; check-packages.mjs holds the result to `budgets`.
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from './prepare.mjs'

const dist = join(root, 'packages/client/dist')

/**
 * Most bytes of each file after gzip -9. Who raises one says in the commit what a page gets for it.
 * @type {Readonly<Record<string, number>>}
 */
export const budgets = { 'browser.js': 31_900, 'browser-indexeddb-store.js': 2_600 }

/**
 * Packets that go one way only: a client never reads what clients send, and never writes what servers send. The file, and the
 * argument of definePacket that is left out.
 * @type {Readonly<Record<string, 'read' | 'write'>>}
 */
const oneWay = {
  'connect.js': 'read',
  'subscribe.js': 'read',
  'unsubscribe.js': 'read',
  'connack.js': 'write',
  'suback.js': 'write',
  'unsuback.js': 'write',
}

/** A server that sends one of them is told what it did, as by the whole codec. */
const refuse = `
import { ProtocolError as WrongWay } from '../errors.js'
function onlyFromClients() { throw new WrongWay('protocol-error', 'a packet that only clients send') }`

/**
 * @param {string} source A module of the codec that calls definePacket once.
 * @param {'read' | 'write'} left
 */
async function withoutOneWay(source, left) {
  const { default: ts } = await import('typescript')
  const file = ts.createSourceFile('packet.js', source, ts.ScriptTarget.ES2022, true)
  /** @type {import('typescript').CallExpression[]} */
  const calls = []
  const look = (/** @type {import('typescript').Node} */ node) => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'definePacket') calls.push(node)
    ts.forEachChild(node, look)
  }
  look(file)
  const argument = calls[0]?.arguments[left === 'read' ? 2 : 3]
  if (calls.length !== 1 || argument === undefined) throw new Error('definePacket is not called as it was')
  const instead = left === 'read' ? 'onlyFromClients' : 'undefined'
  const cut = source.slice(0, argument.getStart()) + instead + source.slice(argument.getEnd())
  return left === 'read' ? cut + refuse : cut
}

/** @type {import('esbuild').Plugin} */
const forPages = {
  name: 'for pages',
  setup({ onLoad, onResolve }) {
    // A page has no Node to be too old.
    onLoad({ filter: /\/protocol\/dist\/node-floor\.js$/ }, () => ({ contents: '' }))
    // Where MQTT.js has another name for something: an unknown option is refused all the same, with the nearest one.
    onLoad({ filter: /\/client\/dist\/mqtt-js-names\.js$/ }, () => ({
      contents: 'export const mqttJsConnectOptions = {}, mqttJsEvents = new Map()',
    }))
    onLoad({ filter: /\/protocol\/dist\/packets\/\w+\.js$/ }, async ({ path }) => {
      const left = oneWay[basename(path)]
      return left && { contents: await withoutOneWay(readFileSync(path, 'utf8'), left) }
    })
    // What the store throws is of the client's classes.
    onResolve({ filter: /^\.\/errors\.js$/ }, ({ importer }) =>
      importer.endsWith('/indexeddb-store.js') ? { path: './browser.js', external: true } : undefined,
    )
  },
}

/** Makes the files from what has been built. */
export async function browserBundle() {
  const { build } = await import('esbuild')
  const entries = { 'browser.js': 'index.js', 'browser-indexeddb-store.js': 'indexeddb-store.js' }
  for (const [name, entry] of Object.entries(entries)) {
    await build({
      entryPoints: [join(dist, entry)],
      outfile: join(dist, name),
      bundle: true,
      platform: 'browser',
      // Private fields, static blocks and isWellFormed are in all of them; what is older gets no lowered code to download.
      target: ['chrome111', 'firefox119', 'safari16.4'],
      format: 'esm',
      minify: true,
      sourcemap: true,
      plugins: [forPages],
      logLevel: 'warning',
    })
  }
}

/** How large each file is after gzip -9, and what it may be. */
export function browserSizes() {
  return Object.entries(budgets).map(([name, most]) => {
    const bytes = gzipSync(readFileSync(join(dist, name)), { level: 9 }).length
    return { name, bytes, most }
  })
}
