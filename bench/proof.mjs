// npm run proof: what takes too long for every run of CI. It writes the figures that the documentation quotes.
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { proveDurability } from '../packages/broker/test/crash/proof.mjs'
import { PrepareError, prepare, report, root } from '../scripts/prepare.mjs'
import { newCertificate } from './certificate.mjs'
import { chart } from './chart.mjs'
import { proveCluster } from './cluster.mjs'
import { proveConform } from './cluster-conform.mjs'
import { fetchedNats } from './cluster-stage.mjs'
import { compareRow } from './compare.mjs'
import { aedes, floor, godwit, mosquitto } from './contestants.mjs'
import { godwitBench, mqttload } from './loads.mjs'
import { nodeRelease } from './node-releases.mjs'
import { page } from './page.mjs'
import { nodeRows, rows, selectRows, wrappedRows } from './rows.mjs'

/** @typedef {import('./contestants.mjs').Contestant} Contestant */
/** @typedef {import('./rows.mjs').Row} Row */

const usage = `npm run proof -- [options]
Speed beside mosquitto and aedes, and with --durability crashes and power cuts instead (docs/durability-figures.md).
  --rows A,B     only the rows whose names begin so: ${rows.map(({ name }) => name).join(' ')}
  --runs N       alternating runs a row (5)
  --seconds N    measured seconds a run (3)
  --data WHERE   Godwit's data: memory, as its peer's, or disk (memory)
  --load FILE    the C file of a load generator instead of godwit bench
  --out FILE     where the results go, and beside them a chart (bench/RESULTS.md, bench/RESULTS.svg)
  --tls          over TLS, WebSocket and both instead (bench/RESULTS-tls.md): ${wrappedRows.map(({ name }) => name).join(' ')}
  --nodes A,B    the broker on releases of Node, the last beside the others, instead (bench/RESULTS-nodes.md)
  --durability   crashes and power cuts instead: about ten minutes
  --model        20,000 sequences against the model of sessions instead: about two minutes
  --fuzz         10 million mutated packets and crowds of connections instead: about ten minutes
  --plugins      each plugin while its server is gone for ten seconds under load instead: about a minute
  --cluster      20,000 seeds of the model of a cluster, then the standard at its nodes and faults of a real one, instead: about five hours
  --day          how large the data file is over a day of mixed traffic in fast motion instead: about seven minutes
  --siege        what another client waits, and how much memory goes, while one does its worst, instead: about three minutes
  --bridges      bridges to mosquitto and Godwit through 20 kills, cuts and restarts each instead: about half an hour
  --pages        250 damaged data files, and 250 kills of lmdb in mid-write, instead: about ten minutes`

/** Connections over TCP take two descriptors each of the one process that holds both ends: some 20,000 are needed. */
const atLength = {
  GODWIT_TEST_FUZZ_PACKETS: '10000000',
  GODWIT_TEST_CROWD: '50000',
  GODWIT_TEST_CROWD_TCP: '9000',
  GODWIT_TEST_SLOW_LORIS: '500',
}

await report(async () => {
  const options = readOptions()
  if (options.help) return console.log(usage)
  await prepare()
  if (options.durability) {
    if (!proveDurability()) process.exitCode = 1
    return
  }
  // The tests' own timeouts grow with these numbers.
  if (options.model) return proveTests('packages/broker/test/model', { GODWIT_TEST_MODEL_RUNS: '20000' })
  if (options.plugins) return proveTests('test/plugins/', { GODWIT_TEST_OUTAGE_SECONDS: '10' })
  if (options.day) return run(join(root, 'bench/day.mjs'))
  if (options.siege) return run(join(root, 'bench/siege.mjs'))
  if (options.pages) {
    const lengths = { GODWIT_TEST_PAGE_ROUNDS: '250', GODWIT_TEST_SEED: String(randomInt(2 ** 31)) }
    return proveTests('packages/broker/test/pages', lengths)
  }
  if (options.cluster) return await cluster()
  if (options.bridges) return proveBridges()
  if (options.fuzz) return proveTests('packages/broker/test/fuzz', atLength)
  const folder = mkdtempSync(join(tmpdir(), 'godwit-proof-'))
  try {
    await speed(options, folder)
  } catch (error) {
    throw new PrepareError(error instanceof Error ? error.message : String(error))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function readOptions() {
  try {
    return parseArgs({
      options: {
        rows: { type: 'string', default: '' },
        runs: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '3' },
        data: { type: 'string', default: 'memory' },
        load: { type: 'string' },
        out: { type: 'string' },
        tls: { type: 'boolean', default: false },
        nodes: { type: 'string' },
        durability: { type: 'boolean', default: false },
        model: { type: 'boolean', default: false },
        fuzz: { type: 'boolean', default: false },
        bridges: { type: 'boolean', default: false },
        pages: { type: 'boolean', default: false },
        plugins: { type: 'boolean', default: false },
        cluster: { type: 'boolean', default: false },
        day: { type: 'boolean', default: false },
        siege: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new PrepareError(`${error instanceof Error ? error.message : error}\n${usage}`)
  }
}

function proveBridges() {
  const play = [join(root, 'bench/bridge-rounds.mjs'), '--rounds', '20', '--seed', String(randomInt(2 ** 31))]
  if (spawnSync(process.execPath, play, { stdio: 'inherit' }).status !== 0) process.exitCode = 1
}

/**
 * A suite at the length of a proof.
 * @param {string} folder
 * @param {Record<string, string>} lengths those of the environment go before them
 */
function proveTests(folder, lengths) {
  const environment = { GODWIT_TEST_SEED: 'random', ...lengths, ...process.env }
  run(join(root, 'node_modules/vitest/vitest.mjs'), ['run', folder], environment)
}

/**
 * @param {string} program
 * @param {readonly string[]} [args]
 * @param {NodeJS.ProcessEnv} [env]
 */
function run(program, args = [], env = process.env) {
  const { status } = spawnSync(process.execPath, [program, ...args], { cwd: root, stdio: 'inherit', env })
  if (status !== 0) process.exitCode = 1
}

/** The model at length, the standard at each node, and each fault ten times on the newest nats-server, five times on the oldest that is taken. */
async function cluster() {
  proveTests('packages/cluster/test/model', { GODWIT_CLUSTER_SEEDS: '20000' })
  for (const [at, program] of fetchedNats().entries()) {
    if (!(await proveConform(program))) process.exitCode = 1
    if (!(await proveCluster({ program, rounds: at === 0 ? 10 : 5 }))) process.exitCode = 1
  }
}

/**
 * @param {ReturnType<typeof readOptions>} options
 * @param {string} folder
 */
async function speed(options, folder) {
  const { title, among, ours, makers, out } = comparison(options)
  const chosen = selectRows(among, options.rows.split(',').filter(Boolean))
  const load = options.load === undefined ? godwitBench : mqttload(resolve(options.load), folder)
  const contestants = Object.entries(makers).flatMap(([name, make]) =>
    chosen.some(({ beside }) => beside.includes(name)) ? [make()] : [],
  )
  const byName = new Map(contestants.map((contestant) => [contestant.name, contestant]))
  const [runs, seconds] = [Number(options.runs), Number(options.seconds)]
  const certificate = newCertificate(folder)
  const results = []
  for (const row of chosen) {
    results.push(await compareRow(row, { contestants: byName, ours, load, runs, seconds, certificate }))
  }
  const picture = `${out.replace(/\.md$/, '')}.svg`
  const command = ['npm run proof --', ...process.argv.slice(2)].join(' ')
  const setting = { title, contestants, ours, load: load.name, runs, seconds, command, chart: basename(picture) }
  const text = page(results, setting)
  writeFileSync(out, text)
  writeFileSync(picture, chart(results, ours.name))
  console.log(`\n${text}\nwritten to ${out}`)
}

/**
 * What is compared with what.
 * @param {ReturnType<typeof readOptions>} options
 * @returns {{ title: string, among: readonly Row[], ours: Contestant, makers: Readonly<Record<string, () => Contestant>>, out: string }}
 */
function comparison({ data, tls, nodes, out }) {
  const kept = data === 'disk' ? 'disk' : 'memory'
  const at = (/** @type {string} */ name) => (out === undefined ? join(root, 'bench', name) : resolve(out))
  if (nodes !== undefined) {
    const releases = nodes.split(',').map((release) => godwit(kept, nodeRelease(release)))
    const ours = /** @type {Contestant} */ (releases.pop())
    const makers = Object.fromEntries(releases.map((release) => [release.name, () => release]))
    const among = nodeRows.map((row) => ({ ...row, beside: Object.keys(makers) }))
    return { title: 'Godwit on releases of Node', among, ours, makers, out: at('RESULTS-nodes.md') }
  }
  const beside = { ours: godwit(kept), makers: { mosquitto, aedes, floor } }
  if (!tls) return { title: 'Godwit beside other brokers', among: rows, ...beside, out: at('RESULTS.md') }
  const title = 'Godwit beside other brokers, over TLS and WebSocket'
  return { title, among: wrappedRows, ...beside, out: at('RESULTS-tls.md') }
}
