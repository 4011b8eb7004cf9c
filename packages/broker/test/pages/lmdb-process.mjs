// A process that works on a file with lmdb: what lmdb does with a damaged one may end it.
//   fill FILE SEED COMMITS   puts and removes values of 1 byte to 200 KB in a dozen tables, and prints a line a commit
//   use FILE SEED            reads every key and value, then writes and removes some hundreds in several commits
import { open } from 'lmdb'

const [what, path, seed, commits = '8'] = process.argv.slice(2)
const tableCount = 12

/** xorshift32: the same numbers for the same seed. */
let state = Math.imul(Number(seed) + 1, 2_654_435_761) | 1
const below = (most) => {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % most
}
const chance = (percent) => below(100) < percent

const root = open({ path, noSubdir: true, maxDbs: 16, compression: false, eventTurnBatching: false })
const tables = Array.from({ length: tableCount }, (_, number) =>
  root.openDB(`table${number}`, { encoding: 'binary', keyEncoding: 'binary' }),
)

/** Tables differ in how long their keys are, and in how many keys there are to choose from. */
function keyOf(table) {
  const bytes = [4, 8, 12, 16, 40, 200, 900, 1900, 6, 9, 30, 4][table]
  const choice = below([4000, 2000, 2000, 1000, 1000, 300, 60, 20, 2000, 50, 3, 8000][table])
  const key = Buffer.alloc(bytes, choice & 0xff)
  key.writeUInt32BE(Math.imul(choice, 2_654_435_761) >>> 0)
  return key
}

function newValue(table) {
  if (table === 9) return Buffer.alloc(below(200_000) + 1, below(256))
  if (chance(2)) return Buffer.alloc(below(30_000) + 1, below(256))
  return Buffer.alloc(below(chance(10) ? 3000 : [30, 100, 200, 60][table % 4]) + 1, below(256))
}

async function commit(size, percentRemoved) {
  let last
  for (let i = 0; i < size; i++) {
    const table = below(tableCount)
    const key = keyOf(table)
    last = chance(percentRemoved) ? tables[table].remove(key) : tables[table].put(key, newValue(table))
  }
  await last
}

if (what === 'fill') {
  for (let i = 0; i < Number(commits); i++) {
    const percentRemoved = [20, 50, 80, 40][below(4)]
    await commit([10, 100, 1000, 3000][below(4)], percentRemoved)
    if (chance(10)) await clearTable(tables[below(tableCount)])
    if (chance(30)) await root.flushed
    process.stdout.write(`${i}\n`)
  }
} else {
  let bytes = 0
  for (const table of tables) {
    for (const { key, value } of table.getRange({})) bytes += key.length + value.reduce((sum, byte) => sum + byte, 0)
    for (const key of table.getKeys({ reverse: true })) bytes += table.get(key)?.length ?? 0
  }
  for (let i = 0; i < 6; i++) await commit([150, 30, 150, 400, 20, 100][i], [20, 80, 50, 30, 50, 50][i])
  process.stdout.write(`${bytes}\n`)
}
await root.close()

async function clearTable(table) {
  let last
  for (const key of table.getKeys({})) last = table.remove(Buffer.from(key))
  await last
}
