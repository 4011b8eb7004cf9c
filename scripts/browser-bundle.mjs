// Makes the client's files for a page without a bundler: @godwit/client/browser, and beside it what only some pages want. What a client
// in a browser never needs is left out. bundle.mjs calls it; check-packages.mjs holds the result to `budgets`.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { root } from './prepare.mjs'

const dist = join(root, 'packages/client/dist')

/**
 * Most bytes of each file after gzip -9. Who raises one says in the commit what a page gets for it.
 * @type {Readonly<Record<string, number>>}
 */
export const budgets = {
  'browser.js': 27_400,
  'browser-checks.js': 3_600,
  'browser-indexeddb-store.js': 2_600,
  'browser-requests.js': 1_900,
  'browser-scram.js': 1_000,
}

/**
 * Packets that go one way only: a client never reads what clients send, and never writes what servers send. The file, and the
 * argument of definePacket that is left out.
 * @type {Readonly<Record<string, 'read' | 'write'>>}
 */
const oneWay = {
  'packets/connect.js': 'read',
  'packets/subscribe.js': 'read',
  'packets/unsubscribe.js': 'read',
  'packets/connack.js': 'write',
  'packets/suback.js': 'write',
  'packets/unsuback.js': 'write',
}

/** A server that sends one of them is told what it did, as by the whole codec. */
const refuse = `
import { ProtocolError } from './errors.js'
export function onlyFromClients() { throw new ProtocolError('protocol-error', 'a packet that only clients send') }`

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
  return left === 'read' ? `${cut}\nimport { onlyFromClients } from 'refuse'` : cut
}

/**
 * The numbers in place of `reason.NAME`: then the names need not be in the file.
 * @param {string} source
 * @param {Readonly<Record<string, number>>} numbers
 */
function withReasonsAsNumbers(source, numbers) {
  return source.replaceAll(/(?<![.\w])reason\.(\w+)/g, (written, name) => String(numbers[name] ?? written))
}

/**
 * The module of reason codes in fewer words: a number, a bit for each packet that may carry it, and its name.
 * @param {typeof import('../packages/protocol/dist/reason-codes.js')} codes
 */
async function shortReasonCodes({ rows, reasonName, isReasonFor }) {
  const hosts = [...new Set(Object.values(rows).flatMap((row) => row.hosts))]
  const known = [...new Set(Object.values(rows).map(({ code }) => code))]
  const bits = (/** @type {number} */ code) =>
    hosts.reduce((sum, host, at) => sum + (isReasonFor(host, code) ? 1 << at : 0), 0)
  const source = `
export const reason = undefined // numbers stand in its place
const rows = new Map(${JSON.stringify(known.map((code) => [code, [bits(code), reasonName(code)]]))})
export const reasonName = (code) => rows.get(code)?.[1] ?? 'reason code 0x' + code.toString(16).padStart(2, '0')
export const isReasonFor = (host, code) => ((rows.get(code)?.[0] >> ${JSON.stringify(hosts)}.indexOf(host)) & 1) === 1`
  const made = await import(`data:text/javascript,${encodeURIComponent(source)}`)
  for (let code = 0; code < 256; code++) {
    const same = hosts.every((host) => made.isReasonFor(host, code) === isReasonFor(host, code))
    if (!same || made.reasonName(code) !== reasonName(code)) throw new Error(`reason code ${code} is not what it was`)
  }
  return source
}

/** @type {import('esbuild').Plugin} */
const forPages = {
  name: 'for pages',
  setup({ onLoad, onResolve }) {
    // A page has no Node to be too old.
    onLoad({ filter: /\/protocol\/dist\/node-floor\.js$/ }, () => ({ contents: '' }))
    onLoad({ filter: /\/protocol\/dist\/reason-codes\.js$/ }, async ({ path }) => ({
      contents: await shortReasonCodes(await import(pathToFileURL(path).href)),
    }))
    onResolve({ filter: /^refuse$/ }, () => ({
      path: join(root, 'packages/protocol/dist/refuse'),
      namespace: 'refuse',
    }))
    onLoad({ filter: /./, namespace: 'refuse' }, () => ({
      contents: refuse,
      resolveDir: join(root, 'packages/protocol/dist'),
    }))
    onLoad({ filter: /\/(?:client|protocol)\/dist\/.*\.js$/ }, async ({ path }) => {
      const { reason } = await import('../packages/protocol/dist/index.js')
      const left = oneWay[`${basename(dirname(path))}/${basename(path)}`]
      const source = withReasonsAsNumbers(readFileSync(path, 'utf8'), reason)
      return { contents: left ? await withoutOneWay(source, left) : source }
    })
  },
}

/**
 * What is thrown beside the client is of the client's classes.
 * @type {import('esbuild').Plugin}
 */
const errorsOfClient = {
  name: 'errors of the client',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /\/client\/dist\/errors\.js$/ }, ({ path }) => {
      const classes = readFileSync(path, 'utf8').matchAll(/^export (?:abstract )?class (\w+)/gm)
      const contents = `
        import { InvalidArgumentError } from './browser.js'
        export { ${[...classes].map(([, name]) => name).join(', ')} } from './browser.js'
        export const invalidOption = (message) => new InvalidArgumentError('invalid-option', message)`
      return { contents }
    })
    onResolve({ filter: /^\.\/browser\.js$/ }, ({ path }) => ({ path, external: true }))
  },
}

/** The files, and the modules that they are made of. The first one is the client. */
const entries = {
  'browser.js': 'page.js',
  'browser-checks.js': 'all-checks.js',
  'browser-indexeddb-store.js': 'indexeddb-store.js',
  'browser-requests.js': 'requests.js',
  'browser-scram.js': 'scram.js',
}

/** Makes the files from what has been built. */
export async function browserBundle() {
  const { build } = await import('esbuild')
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
      plugins: name === 'browser.js' ? [forPages] : [errorsOfClient, forPages],
      logLevel: 'warning',
    })
    await tighten(join(dist, name))
  }
}

/**
 * Terser after esbuild: together they leave less than either does alone.
 * @param {string} file With its source map beside it.
 */
async function tighten(file) {
  const { minify } = await import('terser')
  const { code, map } = await minify(readFileSync(file, 'utf8'), {
    module: true,
    ecma: 2020,
    compress: { passes: 3, keep_fargs: false, pure_getters: true, unsafe_arrows: true },
    sourceMap: { content: readFileSync(`${file}.map`, 'utf8'), url: `${basename(file)}.map`, asObject: false },
  })
  if (code === undefined || typeof map !== 'string') throw new Error(`terser made nothing of ${file}`)
  writeFileSync(file, code)
  writeFileSync(`${file}.map`, map)
}

/** How large each file is after gzip -9, and what it may be. */
export function browserSizes() {
  return Object.entries(budgets).map(([name, most]) => {
    const bytes = gzipSync(readFileSync(join(dist, name)), { level: 9 }).length
    return { name, bytes, most }
  })
}
