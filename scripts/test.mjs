// npm test [-- vitest's arguments]: from a fresh clone to the test results.
import { prepare, report, run } from './prepare.mjs'

await report(async () => {
  await prepare()
  const { code } = await run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)])
  process.exitCode = code
})
