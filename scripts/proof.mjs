// npm run proof: what takes too long for every run of CI. It writes the figures that the documentation quotes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { compareRow, page } from '../bench/compare.mjs'
import { buildLoad, godwit, mosquitto } from '../bench/contestants.mjs'
import { rows, selectRows } from '../bench/rows.mjs'
import { proveDurability } from '../packages/broker/test/crash/proof.mjs'
import { PrepareError, prepare, report, root } from './prepare.mjs'

const usage = `npm run proof -- [options]
Speed beside mosquitto, and with --durability crashes and power cuts instead (docs/durability-figures.md).
  --rows A,B     only the rows whose names begin so: ${rows.map(({ name }) => name).join(' ')}
  --runs N       alternating runs a row (5)
  --seconds N    measured seconds a run (3)
  --data WHERE   Godwit's data: memory, as its peer's, or disk (memory)
  --load FILE    the load generator's C file (../shared/tools/mqttload.c)
  --out FILE     where the results go (bench/RESULTS.md)
  --durability   crashes and power cuts instead: about ten minutes`

await report(async () => {
  const options = readOptions()
  if (options.help) return console.log(usage)
  await prepare()
  if (options.durability) {
    if (!proveDurability()) process.exitCode = 1
    return
  }
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
        load: { type: 'string', default: join(root, '../shared/tools/mqttload.c') },
        out: { type: 'string', default: join(root, 'bench/RESULTS.md') },
        durability: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new PrepareError(`${error instanceof Error ? error.message : error}\n${usage}`)
  }
}

/**
 * @param {ReturnType<typeof readOptions>} options
 * @param {string} folder
 */
async function speed(options, folder) {
  const setting = {
    theirs: mosquitto(),
    ours: godwit(options.data === 'disk' ? 'disk' : 'memory'),
    load: buildLoad(resolve(options.load), folder),
    runs: Number(options.runs),
    seconds: Number(options.seconds),
    command: ['npm run proof --', ...process.argv.slice(2)].join(' '),
  }
  const results = []
  for (const row of selectRows(options.rows.split(',').filter(Boolean))) results.push(await compareRow(row, setting))
  const text = page(results, setting)
  writeFileSync(resolve(options.out), text)
  console.log(`\n${text}\nwritten to ${options.out}`)
}
