// npm start [-- options]: from a fresh clone to a running broker.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, report, root } from './prepare.mjs'

await report(async () => {
  await prepare()
  // The command runs in this very process: signals, exit code and terminal are the broker's own, and nothing can outlive it.
  const main = join(root, 'packages/cli/dist/main.js')
  process.argv = [process.execPath, main, 'broker', ...process.argv.slice(2)]
  await import(pathToFileURL(main).href)
})
