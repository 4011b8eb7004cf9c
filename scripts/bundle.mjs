// Makes the bundles of a build: the client's for pages, which browser-bundle.mjs has, and packages/cli/dist/quick.cjs, the commands
// that shall start at once, in one file, with what they use of other packages. The rest of the command stays as tsc has made
// it; quick.ts says who runs what.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { browserBundle } from './browser-bundle.mjs'
import { report, root } from './prepare.mjs'

const dist = join(root, 'packages/cli/dist')

/** Packages that few calls need. They are loaded then from where npm has put them. */
const seldom = ['@msgpack/msgpack', 'bufferutil', 'cborg', 'socks', 'utf-8-validate']

/**
 * Modules of the client that a plain connection does without, with what they export: with all that they need of Node they take
 * as long to load as the rest. In the bundle they are loaded when one of their functions is called.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const later = { 'tls-node.js': ['tlsDialer', 'tlsFailure'], 'websocket-node.js': ['openWebSocket'] }

/** @type {import('esbuild').Plugin} */
const loadLater = {
  name: 'load later',
  setup({ onResolve, onLoad }) {
    const filter = /^\.\/(tls|websocket)-node\.js$/
    onResolve({ filter }, ({ path, resolveDir, kind }) =>
      kind === 'require-call'
        ? undefined
        : { path: join(resolveDir, path), namespace: 'later', pluginData: resolveDir },
    )
    onLoad({ filter: /./, namespace: 'later' }, ({ path, pluginData }) => {
      const names = later[basename(path)] ?? []
      const shim = (/** @type {string} */ name) =>
        `export function ${name}(...args) { return require('./${basename(path)}').${name}(...args) }`
      return { contents: names.map(shim).join('\n'), resolveDir: pluginData }
    })
  },
}

/**
 * commander can start a program for each command, as we never ask it to; what it needs for that is not loaded.
 * @type {import('esbuild').Plugin}
 */
const noPrograms = {
  name: 'no programs',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
      importer.includes('/commander/') ? { path, namespace: 'nothing' } : undefined,
    )
    onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/**
 * Leaves the other commands, as commands.ts imports them, where they are: the bundle never gets there.
 * @param {Record<string, { quick?: true }>} commands
 * @returns {import('esbuild').Plugin}
 */
const onlyQuick = (commands) => ({
  name: 'only quick',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/commands\/.*\.js$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' && !commands[basename(path, '.js')]?.quick ? { path, external: true } : undefined,
    )
  },
})

/** Makes the bundle from what has been built. */
export async function bundle() {
  const { build } = await import('esbuild') // not at the top: prepare.mjs imports this before anything is installed
  /** @type {{ commands: Record<string, { quick?: true }> }} */
  const { commands } = await import(pathToFileURL(join(dist, 'commands.js')).href)
  const { metafile } = await build({
    entryPoints: [join(dist, 'quick.js')],
    outfile: join(dist, 'quick.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    conditions: ['node'],
    // What is not bundled is beside the bundle, or never reached from it.
    external: ['./main.js', ...seldom],
    define: { 'import.meta.url': '__url' },
    banner: { js: "const __url = require('node:url').pathToFileURL(__filename).href" },
    plugins: [loadLater, noPrograms, onlyQuick(commands)],
    // Names stay, for the places in failures that people report.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    metafile: true,
    logLevel: 'warning',
  })
  writeFileSync(join(dist, 'quick.licenses.txt'), licensesOf(Object.keys(metafile.inputs)))
}

/**
 * The licenses of other people's packages that the bundle holds parts of.
 * @param {readonly string[]} inputs
 */
function licensesOf(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []))
  const texts = [...folders].sort().map((folder) => {
    const at = join(root, folder)
    const file = readdirSync(at).find((name) => /^licen[cs]e/i.test(name))
    if (!file) throw new Error(`${folder} has no license to pass on`)
    return `${folder.replace(/^.*node_modules\//, '')}\n\n${readFileSync(join(at, file), 'utf8').trim()}\n`
  })
  return texts.join('\n----\n\n')
}

if (process.argv[1] === import.meta.filename) {
  await report(async () => {
    if (!existsSync(join(dist, 'quick.js'))) throw new Error('build first: npm run build')
    await bundle()
    await browserBundle()
  })
}
