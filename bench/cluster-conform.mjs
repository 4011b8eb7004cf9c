// The standard at each node of a cluster, statement by statement: a client must not tell which of them serves.
//   node bench/cluster-conform.mjs [--nats PROGRAM]
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { root } from '../scripts/prepare.mjs'
import { ClusterStage, fetchedNats } from './cluster-stage.mjs'

const command = join(root, 'packages/cli/bin/godwit.js')

/** @typedef {{ readonly version: string, readonly id: string, readonly outcome: string, readonly detail: string }} Statement */

const running = promisify(execFile)

/** By statement. This process goes on meanwhile: nodes reach each other through it. @param {string} url @returns {Promise<Map<string, Statement>>} */
async function verdicts(url) {
  const line = [command, 'conform', url, '--hostile', '--json']
  const ended = running(process.execPath, line, { maxBuffer: 1 << 28 })
  const { stdout } = await ended.catch((error) => error) // it ends with 1 where something fails
  const { statements } = JSON.parse(stdout)
  return new Map(statements.map((/** @type {Statement} */ one) => [`${one.version} ${one.id}`, one]))
}

/** @param {Map<string, Statement>} of */
function counts(of) {
  const count = (/** @type {string} */ as) => [...of.values()].filter(({ outcome }) => outcome === as).length
  return `${count('pass')} pass, ${count('skip')} skip, ${count('fail')} fail`
}

/** @param {Statement | undefined} one */
const words = (one) => (one ? `${one.outcome} ${one.detail}`.trim() : 'nothing')

/**
 * At the node that serves and at one that passes clients on.
 * @param {string | undefined} [program] nats-server
 * @returns {Promise<boolean>} whether both say the same of everything, and nothing fails
 */
export async function proveConform(program = fetchedNats()[0]) {
  if (program === undefined) throw new Error('there is no nats-server: scripts/fetch-nats.sh fetches one')
  const stage = new ClusterStage(program, { gates: false, edges: true })
  try {
    await stage.start()
    const owner = await stage.owner()
    const urlOf = (/** @type {typeof owner} */ node) => stage.urls[stage.nodes.indexOf(node)] ?? ''
    const [served, passedOn] = [await verdicts(urlOf(owner)), await verdicts(urlOf(await stage.replica()))]
    const isSame = (/** @type {string} */ id) => served.get(id)?.outcome === passedOn.get(id)?.outcome
    const odd = [...served.keys()].filter((id) => !isSame(id) || served.get(id)?.outcome === 'fail')
    console.log(`conform at the node that serves: ${counts(served)}; at another one: ${counts(passedOn)}`)
    for (const id of odd) console.log(`  ${id}: ${words(served.get(id))}; at another one ${words(passedOn.get(id))}`)
    return odd.length === 0
  } finally {
    await stage.stop()
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { nats: { type: 'string' } } })
  process.exitCode = (await proveConform(values.nats)) ? 0 : 1
}
