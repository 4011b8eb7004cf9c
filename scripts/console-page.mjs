// Builds the console's page with Vite, into packages/console/dist/page, unless it is as new as its sources. `--budget` tells what it
// weighs, and fails above the budget: all that is loaded before the first decoder.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { PrepareError, report, root } from './prepare.mjs'

const folder = join(root, 'packages/console')
const page = join(folder, 'dist/page')
const stamp = join(folder, 'dist/.page')

/** Most bytes after gzip -9 of everything that is no decoder. */
const budget = 150_000

/** Loaded when a payload first asks for it, by what Vite calls the chunk. */
const decoders = /^(json|message-pack|cbor|sparkplug|hex|image)-/

function fingerprint() {
  const hash = createHash('sha1')
  const sources = readdirSync(join(folder, 'src/page'), { recursive: true, withFileTypes: true })
  const files = sources.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const others = [
    join(folder, 'package.json'),
    join(root, 'package-lock.json'),
    join(root, 'packages/client/dist/browser.js'),
    join(root, 'scripts/console-page.mjs'),
  ]
  for (const file of [...files.sort(), ...others]) hash.update(file.slice(root.length)).update(readFileSync(file))
  return hash.digest('hex')
}

async function buildPage() {
  const sources = fingerprint()
  if (existsSync(join(page, 'index.html')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return
  const { build } = await import('vite')
  await build({
    configFile: false,
    root: join(folder, 'src/page'),
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: page,
      emptyOutDir: true,
      target: 'es2022',
      cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
      assetsInlineLimit: 0, // the page may load from its server alone, not from data: URLs
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1_000,
    },
  })
  writeFileSync(join(page, 'LICENSES.txt'), licences())
  writeFileSync(stamp, sources)
}

/** Under which terms what others have written is in the page's files. */
function licences() {
  const packages = ['preact', '@preact/signals', '@preact/signals-core', 'uplot', '@msgpack/msgpack', 'cborg']
  return packages
    .map((name) => {
      const at = join(root, 'node_modules', name)
      const file = readdirSync(at).find((one) => /^licen[cs]e/i.test(one))
      if (file === undefined) throw new PrepareError(`${name} has no licence that could go with the console`)
      const { version } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'))
      return `${name} ${version}\n\n${readFileSync(join(at, file), 'utf8').trim()}\n`
    })
    .join(`\n${'-'.repeat(72)}\n\n`)
}

function weigh() {
  const assets = readdirSync(join(page, 'assets'))
  const sizes = [...assets.map((name) => join('assets', name)), 'index.html'].map((path) => ({
    name: path.replace('assets/', ''),
    bytes: gzipSync(readFileSync(join(page, path)), { level: 9 }).length,
  }))
  const first = sizes.filter(({ name }) => !decoders.test(name))
  const total = first.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const { name, bytes } of sizes.sort((one, other) => other.bytes - one.bytes)) {
    console.log(`${String(bytes).padStart(7)}  ${name}${decoders.test(name) ? '  (a decoder)' : ''}`)
  }
  console.log(`${String(total).padStart(7)}  of ${budget} bytes before the first decoder, after gzip`)
  if (total > budget) throw new PrepareError(`the console weighs ${total} bytes, more than ${budget}`)
}

await report(async () => {
  await buildPage()
  if (process.argv.includes('--budget')) weigh()
})
