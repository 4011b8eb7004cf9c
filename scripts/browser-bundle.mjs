// Makes the client's files for a page without a bundler: @godwit/client/browser, and beside it what only some pages want. What a client
// in a browser never needs is left out. bundle.mjs calls it; check-packages.mjs holds the result to `budgets`.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import ts from 'typescript'
import {
  deadMembers,
  parse,
  propertiesIn,
  replaced,
  stringsIn,
  withoutMembers,
  withoutProperties,
} from './page-modules.mjs'
import { root } from './prepare.mjs'
import { platformNames, publicNames } from './public-names.mjs'

const dist = join(root, 'packages/client/dist')

/**
 * Most bytes of each file after gzip -9. Who raises one says in the commit what a page gets for it.
 * @type {Readonly<Record<string, number>>}
 */
export const budgets = {
  'browser.js': 24_000,
  'browser-authentication.js': 900,
  'browser-checks.js': 3_700,
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
 * Modules that a page has in another form. Their exports are the same.
 * @type {Readonly<Record<string, string>>}
 */
const otherForms = {
  // A page has no Node to be too old.
  'protocol/dist/node-floor.js': '',
  'protocol/dist/topic-cache.js': 'export const findTopic = undefined, rememberTopic = undefined',
  'protocol/dist/tuned.js': 'export const tuned = false',
  'client/dist/most-publish-bytes.js': 'export const mostPublishBytes = () => Infinity',
  'client/dist/other-protocol.js': 'export const otherProtocol = () => undefined',
}

/** What the client of a page never has: it is no relay, and makes no connections but those of the browser. */
const never = new Set([
  '#relayed',
  '#repeats',
  'relay',
  'relayed',
  'bridge',
  'tls',
  'headers',
  'dial',
  'unref',
  'setImmediate',
  'waits',
])

/**
 * @param {string} source A module of the codec that calls definePacket once.
 * @param {'read' | 'write'} left
 */
function withoutOneWay(source, left) {
  const file = parse('packet.js', source)
  let calls = 0
  const cut = replaced(file, (node) => {
    if (!ts.isCallExpression(node.parent) || node.parent.expression.getText() !== 'definePacket') return undefined
    if (node !== node.parent.arguments[left === 'read' ? 2 : 3]) return undefined
    calls++
    return left === 'read' ? 'onlyFromClients' : 'undefined'
  })
  if (calls !== 1) throw new Error('definePacket is not called as it was')
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
 * The module of reason codes in fewer words: a list of the names that errors have, from 0x80 on, and one of numbers with a bit for
 * each packet that may carry the code.
 * @param {typeof import('../packages/protocol/dist/reason-codes.js')} codes
 */
async function shortReasonCodes({ rows, reasonName, isReasonFor }) {
  const hosts = [...new Set(Object.values(rows).flatMap((row) => row.hosts))]
  const known = [...new Set(Object.values(rows).map(({ code }) => code))].sort((a, b) => a - b)
  const low = known.filter((code) => code < 0x80)
  const high = known.filter((code) => code >= 0x80)
  const bits = (/** @type {number} */ code) =>
    hosts.reduce((sum, host, at) => sum + (isReasonFor(host, code) ? 1 << at : 0), 0)
  const source = `
export const reason = undefined // numbers stand in its place
const low = ${JSON.stringify(low)}
const names = ${JSON.stringify(high.map(reasonName).join('|'))}.split('|')
const bits = ${JSON.stringify(known.map(bits))}
// From 0x80 on there is one of each number.
const at = (code) => (code < 0x80 ? low.indexOf(code) : code - ${0x80 - low.length})
export const reasonName = (code) => names[code - 0x80] ?? 'reason code 0x' + code.toString(16).padStart(2, '0')
export const isReasonFor = (host, code) => ((bits[at(code)] >> ${JSON.stringify(hosts)}.indexOf(host)) & 1) === 1`
  const made = await import(`data:text/javascript,${encodeURIComponent(source)}`)
  for (let code = 0; code < 256; code++) {
    const same = hosts.every((host) => made.isReasonFor(host, code) === isReasonFor(host, code))
    if (!same || (code >= 0x80 && made.reasonName(code) !== reasonName(code)))
      throw new Error(`reason code ${code} is not what it was`)
  }
  return source
}

/**
 * The module of properties in fewer words: a bit for each place where one may stand.
 * @param {string} source
 */
function shortProperties(source) {
  /** @type {string[]} */
  const hosts = []
  const bitsOf = (/** @type {string} */ host) => {
    if (!hosts.includes(host)) hosts.push(host)
    return 1 << hosts.indexOf(host)
  }
  const acks = /const acks = \[(.*?)\]/s.exec(source)?.[1] ?? ''
  const rows = replaced(parse('properties.js', source), (node) => {
    if (!ts.isCallExpression(node) || !/^(one|many)$/.test(node.expression.getText())) return undefined
    const [id, field, ...places] = node.arguments.map((argument) => argument.getText())
    const named = places.join().replace('...acks', acks)
    const sum = [...named.matchAll(/'(\w+)'/g)].reduce((all, [, host = '']) => all | bitsOf(host), 0)
    return `${node.expression.getText()}(${id}, ${field}, ...hostsOf(${sum}))`
  })
  return `${rows}
function hostsOf(bits) { return ${JSON.stringify(hosts.join())}.split(',').filter((_, at) => (bits >> at) & 1) }`
}

/**
 * The client writes PUBLISH by encodePublishHead alone.
 * @param {string} source
 */
function withoutEncode(source) {
  return replaced(parse('publish.js', source), (node) =>
    ts.isMethodDeclaration(node) && node.name.getText() === 'encode' ? 'encode: undefined' : undefined,
  )
}

/**
 * Conditions that never hold in a page: nobody sends CONNECT there, and what the client writes it has looked at before.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const neverHold = {
  'protocol/dist/decoder.js': ["packet.type === 'connect'"],
  'protocol/dist/encoder.js': ["packet.type === 'auth' && version < 5"],
  'protocol/dist/packets/connect.js': ['version < 5 && password !== undefined && username === undefined'],
  'protocol/dist/packets/subscribe.js': [
    'subscriptions.length === 0',
    '(properties?.subscriptionIdentifiers?.length ?? 0) > 1',
    'noLocal && splitShared(filter)',
  ],
  'protocol/dist/packets/unsubscribe.js': ['filters.length === 0'],
}

/**
 * @param {string} source
 * @param {string} condition
 */
function withoutCase(source, condition) {
  let cases = 0
  const cut = replaced(parse('codec.js', source), (node) => {
    if (!ts.isIfStatement(node) || node.expression.getText() !== condition) return undefined
    cases++
    return ''
  })
  if (cases !== 1) throw new Error(`there is no 'if (${condition})' as there was`)
  return cut
}

/**
 * A module as a page has it, but for its members that nothing calls.
 * @param {string} path
 * @param {boolean} isClient Rather than what is beside it.
 */
async function moduleForPages(path, isClient) {
  const name = relative(join(root, 'packages'), path).replaceAll('\\', '/')
  const other = otherForms[name]
  if (other !== undefined) return other
  if (name === 'protocol/dist/reason-codes.js') return shortReasonCodes(await import(pathToFileURL(path).href))
  const { reason } = await import('../packages/protocol/dist/index.js')
  const source = withReasonsAsNumbers(readFileSync(path, 'utf8'), reason)
  if (name === 'protocol/dist/properties.js') return shortProperties(source)
  if (name === 'protocol/dist/packets/publish.js' && isClient) return withoutEncode(source)
  const left = oneWay[`${basename(dirname(path))}/${basename(path)}`]
  const half = left ? withoutOneWay(source, left) : source
  const cut = (neverHold[name] ?? []).reduce(withoutCase, half)
  return withoutProperties(parse(path, cut), never)
}

/**
 * @param {(path: string) => Promise<string>} moduleAt Gives the source of a module.
 * @returns {import('esbuild').Plugin}
 */
const forPages = (moduleAt) => ({
  name: 'for pages',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^refuse$/ }, () => ({
      path: join(root, 'packages/protocol/dist/refuse'),
      namespace: 'refuse',
    }))
    // The file beside this one that has it.
    onResolve({ filter: /^\.\/enhanced-auth\.js$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './browser-authentication.js', external: true } : undefined,
    )
    onLoad({ filter: /./, namespace: 'refuse' }, () => ({
      contents: refuse,
      resolveDir: join(root, 'packages/protocol/dist'),
    }))
    onLoad({ filter: /\/(?:client|protocol)\/dist\/.*\.js$/ }, async ({ path }) => ({ contents: await moduleAt(path) }))
  },
})

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

/**
 * The files, and the modules that they are made of. The first one is the client.
 * @type {Readonly<Record<string, string>>}
 */
const entries = {
  'browser.js': 'page.js',
  'browser-authentication.js': 'enhanced-auth.js',
  'browser-checks.js': 'all-checks.js',
  'browser-indexeddb-store.js': 'indexeddb-store.js',
  'browser-requests.js': 'requests.js',
  'browser-scram.js': 'scram.js',
}

/** Makes the files from what has been built. */
export async function browserBundle() {
  const called = publicNames(
    Object.values(entries).map((entry) => join(dist, entry.replace('.js', '.d.ts'))),
    ownPackages,
  )
  const platform = platformNames()
  for (const name of Object.keys(entries)) {
    const { modules, dead } = await reachable(name, called)
    const kept = new Set([...called, ...platform, ...modules.flatMap(stringsIn)])
    const inner = [...new Set(modules.flatMap(propertiesIn))].filter((property) => !kept.has(property))
    // Not beside the client: the tables of the checks have names that mean something to programs, and there is little to gain.
    const mangled = isClient(name) ? { mangleProps: new RegExp(`^(${inner.join('|')})$`) } : {}
    const options = { minify: true, sourcemap: true, ...mangled }
    await bundled(name, options, async (path) =>
      withoutMembers(parse(path, await moduleForPages(path, isClient(name))), dead),
    )
    await tighten(join(dist, name))
  }
}

const isClient = (/** @type {string} */ name) => name === 'browser.js'

/** @type {Readonly<Record<string, string>>} */
const ownPackages = {
  '@godwit/protocol': join(root, 'packages/protocol/dist/index.d.ts'),
  '#socket': join(dist, 'socket-browser.d.ts'),
}

/**
 * @param {string} name
 * @param {import('esbuild').BuildOptions} options
 * @param {(path: string) => Promise<string>} moduleAt
 */
async function bundled(name, options, moduleAt) {
  const { build } = await import('esbuild')
  return build({
    entryPoints: [join(dist, entries[name] ?? '')],
    outfile: join(dist, name),
    bundle: true,
    platform: 'browser',
    // Private fields, static blocks and isWellFormed are in all of them; what is older gets no lowered code to download.
    target: ['chrome111', 'firefox119', 'safari16.4'],
    format: 'esm',
    plugins: isClient(name) ? [forPages(moduleAt)] : [errorsOfClient, forPages(moduleAt)],
    logLevel: 'warning',
    ...options,
  })
}

/**
 * The modules of a file, with all branches cut that nothing enters, and the members of their classes that nothing calls.
 * @param {string} name
 * @param {ReadonlySet<string>} called
 */
async function reachable(name, called) {
  const { transform } = await import('esbuild')
  const moduleAt = (/** @type {string} */ path) => moduleForPages(path, isClient(name))
  const { metafile } = await bundled(name, { metafile: true, write: false }, moduleAt)
  const inputs = Object.keys(metafile?.inputs ?? {}).filter((path) => !path.includes(':'))
  const modules = await Promise.all(
    inputs.map(async (path) => {
      const { code } = await transform(await moduleAt(join(root, path)), { minifySyntax: true, target: 'es2024' })
      return parse(path, code)
    }),
  )
  return { modules, dead: deadMembers(modules, called) }
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
    compress: {
      passes: 3,
      keep_fargs: false,
      pure_getters: true,
      unsafe_arrows: true,
      // Chosen by what is left after gzip.
      hoist_funs: true,
      inline: 1,
      lhs_constants: false,
      reduce_funcs: false,
      sequences: false,
    },
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
