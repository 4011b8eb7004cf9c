// Takes the pictures of the console that docs and README show, docs/pictures/console-*.png, while its walk in Chromium is played
// (test/browser/console.test.ts) with a household that talks.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PrepareError, prepare, report, root, run } from './prepare.mjs'

/** As the walk names them, and what they are called in the docs. */
const shown = {
  'overview-1280': 'overview',
  'overview-dark-390': 'overview-narrow',
  'topics-1280': 'topics',
  'retained-1280': 'retained',
  'clients-1280': 'clients',
  'drops-1280': 'drops',
  'access-1280': 'access',
  'trace-1280': 'trace',
}

await report(async () => {
  await prepare()
  const folder = mkdtempSync(join(tmpdir(), 'godwit-pictures-'))
  try {
    process.env.GODWIT_TEST_PICTURES = folder
    const { code } = await run('node_modules/.bin/vitest', ['run', 'test/browser/console.test.ts'])
    if (code !== 0) throw new PrepareError('the walk through the console failed, and no picture was changed')
    for (const [taken, name] of Object.entries(shown)) {
      copyFileSync(join(folder, `${taken}.png`), join(root, 'docs/pictures', `console-${name}.png`))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
