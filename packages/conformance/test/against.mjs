// node packages/conformance/test/against.mjs PORT [ID or section …]: the checks against a server on this machine, as built.
import { allChecks, hostileChecks, runChecks, socketTarget } from '@godwit/conformance'

const [port, ...only] = process.argv.slice(2)
const results = await runChecks(socketTarget({ port: Number(port) }), [...allChecks, ...hostileChecks], {
  jobs: 40,
  ...(only.length > 0 && { only }),
  onResult({ id, outcome, ms, detail, transcript }) {
    process.stdout.write(`${outcome} ${id} ${ms} ms ${detail}\n`)
    if (only.length > 0 && outcome === 'fail') process.stdout.write(`${transcript.join('\n')}\n`)
  },
})
const failed = results.filter(({ outcome }) => outcome === 'fail').length
process.stdout.write(`${results.length} checks, ${failed} failed\n`)
process.exitCode = failed > 0 ? 1 : 0
