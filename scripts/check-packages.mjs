// Fails when a packed package would not work for those who install it: publint on its package.json, attw on its types;
// and when the client's files for pages are larger than their budgets (browser-bundle.mjs).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { browserSizes } from './browser-bundle.mjs'
import { packAll } from './pack.mjs'
import { report, run } from './prepare.mjs'

await report(async () => {
  for (const { name, bytes, most } of browserSizes()) {
    console.log(`${bytes <= most ? 'ok' : 'failed'} ${name} is ${bytes} bytes after gzip, and may be ${most}`)
    if (bytes > most) process.exitCode = 1
  }
  const folder = mkdtempSync(join(tmpdir(), 'godwit-packages-'))
  try {
    const checks = (await packAll(folder)).flatMap(({ tarball }) => [
      ['publint', tarball, '--strict'],
      ['attw', tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'],
    ])
    for (const [tool = '', ...args] of checks) {
      const { code, output } = await run(join('node_modules/.bin', tool), args, { quiet: true })
      console.log(`${code === 0 ? 'ok' : 'failed'} ${tool} ${args.join(' ').replace(`${folder}/`, '')}`)
      if (code === 0) continue
      console.error(output)
      process.exitCode = 1
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
