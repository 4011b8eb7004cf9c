// npm test [-- vitest's arguments]: from a fresh clone to the test results. Without arguments the suites that take their time
// are left out, which is said; with GODWIT_TEST_ALL=1, as in CI, nothing is, and with 0 they are whatever the arguments.
import { prepare, report, run } from './prepare.mjs'

/** Crashes and pauses, generated input, whole brokers against every statement, other people's programs, browsers: minutes of work and waiting. */
const long = [
  'packages/broker/test/crash/**',
  'packages/broker/test/edge/conformance.test.ts',
  'packages/broker/test/fuzz/**',
  'packages/broker/test/model/**',
  'packages/broker/test/pages/**',
  'packages/broker/test/pause.test.ts',
  'packages/broker/test/store/folder-lock.test.ts',
  'packages/broker/src/access/filter-coverage.test.ts',
  'packages/cli/test/bench-process.test.ts',
  'packages/cli/test/conform-client.test.ts',
  'packages/cli/test/process.test.ts',
  'packages/cluster/test/model/mistakes.test.ts',
  'packages/cluster/test/nats/open-node.test.ts',
  'packages/client/test/10-killed-client.test.ts',
  'packages/cli/test/conform.test.ts',
  'packages/conformance/test/liberties.test.ts',
  'packages/conformance/test/mosquitto.test.ts',
  'packages/conformance/test/mutations.test.ts',
  'test/browser/**',
  'test/peers/**',
  'test/plugins/**',
]

await report(async () => {
  const chosen = process.argv.slice(2)
  const { GODWIT_TEST_ALL: all } = process.env
  const isWhole = all === '1' || (all !== '0' && chosen.some((argument) => !argument.startsWith('-')))
  await prepare()
  const left = isWhole ? [] : long.flatMap((pattern) => ['--exclude', pattern])
  const { code } = await run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...left, ...chosen])
  if (!isWhole)
    console.log(
      'left out: crashes, fuzzing, models, conformance, browsers, peers and outages; GODWIT_TEST_ALL=1 npm test plays them too',
    )
  process.exitCode = code
})
