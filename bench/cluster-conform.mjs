// The standard at each node of a cluster, statement by statement: a client must not tell which of them serves.
//   node bench/cluster-conform.mjs [--nats PROGRAM]
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../scripts/prepare.mjs'
import { ClusterStage, fetchedNats } from './cluster-stage.mjs'

const command = join(root, 'packages/cli/bin/godwit.js')

/** @typedef {{ readonly version: string, readonly id: string, readonly outcome: string }} Statement */

/** By statement. @param {string} url @returns {Map<string, string>} */
function verdicts(url) {
  const line = [command, 'conform', url, '--hostile', '--json']
  const { stdout, stderr } = spawnSync(process.execPath, line, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (stdout === '') throw new Error(`conform has said nothing: ${stderr}`)
  const { statements } = JSON.parse(stdout)
  return new Map(statements.map((/** @type {Statement} */ { version, id, outcome }) => [`${version} ${id}`, outcome]))
}

/** @param {Map<string, string>} of */
function counts(of) {
  const counted = new Map()
  for (const verdict of of.values()) counted.set(verdict, (counted.get(verdict) ?? 0) + 1)
  return [...counted].map(([verdict, count]) => `${count} ${verdict}`).join(', ')
}

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
    const [served, passedOn] = [verdicts(urlOf(owner)), verdicts(urlOf(await stage.replica()))]
    const differing = [...served].filter(([id, verdict]) => passedOn.get(id) !== verdict)
    console.log(`conform at the node that serves: ${counts(served)}; at another one: ${counts(passedOn)}`)
    for (const [id, verdict] of differing) console.log(`  ${id}: ${verdict}, and ${passedOn.get(id)} at another one`)
    return differing.length === 0 && ![...served.values()].includes('fail')
  } finally {
    await stage.stop()
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { nats: { type: 'string' } } })
  process.exitCode = (await proveConform(values.nats)) ? 0 : 1
}
