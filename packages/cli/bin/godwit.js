#!/usr/bin/env node
// A file that is there before the first build: npm links commands when it installs. In words that an old Node understands,
// so that it can be told; CommonJS, which starts sooner.
'use strict'
const { existsSync, statSync } = require('node:fs')
const { join } = require('node:path')

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `godwit: this is Node ${process.versions.node}, and godwit needs 20.19 or newer; install it from https://nodejs.org\n`,
  )
  process.exit(1)
}

const dist = join(__dirname, '../dist')
const { enableCompileCache } = require('node:module')
if (enableCompileCache) enableCompileCache() // Node 22 and newer

if (isBundled()) require(join(dist, 'quick.cjs'))
else if (existsSync(join(dist, 'main.js'))) import('../dist/main.js')
else {
  process.stderr.write('godwit: it has not been built yet; run npm run build\n')
  process.exit(1)
}

/** In a clone, a build that came after the bundle goes before it; a published package has a bundle, and no record of builds. */
function isBundled() {
  const time = (name) => statSync(join(dist, name), { throwIfNoEntry: false })?.mtimeMs
  const bundle = time('quick.cjs')
  return bundle !== undefined && bundle >= (time('.tsbuildinfo') ?? 0)
}
