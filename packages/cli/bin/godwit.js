#!/usr/bin/env node
// A file that is there before the first build: npm links commands when it installs.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`godwit needs Node 20.19 or newer; this is ${process.versions.node}; install a newer one\n`)
  process.exit(1)
}
await import('../dist/main.js') // only now: what it loads may need what an old one has not
