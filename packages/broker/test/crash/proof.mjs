// The crash suites at the length of a proof, and their figures as a page: run by `npm run proof`, or by itself.
//   node packages/broker/test/crash/proof.mjs [FILE]     (docs/durability-figures.md)
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
/** Those of the environment go before these. */
const rounds = {
  GODWIT_TEST_KILL_ROUNDS: '100',
  GODWIT_TEST_FAULT_ROUNDS: '30',
  GODWIT_TEST_POWER_CUTS: '200',
  GODWIT_TEST_V5_POWER_CUTS: '60',
  GODWIT_TEST_STORE_POWER_CUTS: '400',
  GODWIT_TEST_BAD_DISK_ROUNDS: '20',
}

/**
 * Runs the suites and writes the page. Answers whether every promise was kept.
 * @param {string} [page] where to write
 */
export function proveDurability(page = join(root, 'docs/durability-figures.md')) {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-figures-'))
  const figures = join(folder, 'figures.jsonl')
  try {
    const { status } = spawnSync(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', 'packages/broker/test/crash'],
      {
        cwd: root,
        stdio: 'inherit',
        env: { ...rounds, ...process.env, GODWIT_TEST_REQUIRE_PEERS: '1', GODWIT_TEST_FIGURES: figures },
      },
    )
    const lines = readFileSync(figures, 'utf8').trim().split('\n')
    writeFileSync(
      page,
      text(
        lines.map((line) => JSON.parse(line)),
        status === 0,
      ),
    )
    return status === 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * @param {readonly Record<string, string | number>[]} figures
 * @param {boolean} kept
 */
function text(figures, kept) {
  const columns = ['suite', 'mode', 'rounds', 'acknowledged', 'lost', 'duplicates', 'others', 'seed']
  const heads = ['suite', 'mode', 'rounds', 'acknowledged', 'lost', 'QoS 2 twice', 'other findings', 'seed']
  const bySuite = [...figures].sort((a, b) => `${a.suite}`.localeCompare(`${b.suite}`)) // they run two at a time
  const rows = bySuite.map(
    (one) =>
      `| ${columns.map((column) => (column === 'seed' ? one[column] : one[column]?.toLocaleString('en'))).join(' | ')} |`,
  )
  const { version } = JSON.parse(readFileSync(join(root, 'packages/broker/package.json'), 'utf8'))
  const lmdb = JSON.parse(readFileSync(join(root, 'node_modules/lmdb/package.json'), 'utf8')).version
  const memory = Math.round(totalmem() / 2 ** 30)
  return `# Durability: figures

Written by \`npm run proof\` (\`node packages/broker/test/crash/proof.mjs\`) on ${new Date().toISOString().slice(0, 10)}:
${kept ? 'every promise was kept.' : '**not every promise was kept.**'}
Godwit ${version}, lmdb ${lmdb}, Node ${process.versions.node}, Linux ${release().split('-')[0]}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, ${memory} GiB.

- **kill**: SIGKILL at a random moment under load, restart, look; one data folder for all rounds.
- **fault points**: the process kills itself between two steps of a commit.
- **power cut**: the folder as a power cut at a random moment leaves it, each moment in three forms: only what was synced;
  that and random pages of the rest; all, the last write torn. A disk whose sync takes 2 ms more is played.
- **bad disk**: every so many writes or syncs of its files are refused under load; then SIGKILL, restart, look.
- **strace**: no acknowledgement is written to its socket before the sync of its record has returned.

Rows that begin with 5.0 are clients of that version, with properties, message expiry, sessions that expire, delayed wills,
subscription options and a shared group, under a clock that the test moves while the broker is down. Rows "a store that …"
break a promise on purpose and end when that is found: what they count shows that it would be seen.

"Acknowledged" are messages acknowledged before a crash. "Other findings" are sessions gone, risen again
or overdue, subscriptions unlike their SUBACK, retained messages older than an acknowledged one, wills missing, too early or
too many, messages with other properties or delivered after their time, messages out of order, handshakes that do not end,
folders that do not open.

| ${heads.join(' | ')} |
|${columns.map((column) => (column === 'suite' || column === 'mode' ? '---' : '---:')).join('|')}|
${rows.join('\n')}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = proveDurability(process.argv[2] && resolve(process.argv[2])) ? 0 : 1
}
