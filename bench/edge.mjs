// What a client costs that comes by another node: CPU a message and a connection of the node that serves and of the edge, beside the
// same client at the node that serves itself, in turns. Between the nodes there is mutual TLS.
//
//   npm run build && node bench/edge.mjs [--runs 5] [--seconds 3] [--plain]
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../scripts/prepare.mjs'
import { median } from './compare.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    plain: { type: 'boolean', default: false },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'godwit-edge-'))
/** @type {readonly (readonly [string, readonly string[]])[]} */
const rows = [
  ['pipe, QoS 0', ['pipe', '--qos', '0', '--seconds', values.seconds]],
  ['pipe, QoS 1', ['pipe', '--qos', '1', '--seconds', values.seconds]],
  ['pipe, QoS 1, one at a time', ['pipe', '--qos', '1', '--window', '1', '--seconds', values.seconds]],
  ['a connection, 2,000', ['conn', '--clients', '2000', '--seconds', '1']],
]

/** @type {import('node:child_process').ChildProcess[]} */
const children = []

try {
  const authority = values.plain ? undefined : certificates()
  const owner = await start({ role: 'owner', ...(authority && { tls: authority.a }) })
  const edge = await start({ role: 'edge', node: owner.said.node, ...(authority && { tls: authority.b }) })
  console.log(`µs of CPU, median of ${values.runs} runs${values.plain ? ', without TLS between nodes' : ''}`)
  for (const [name, args] of rows) await measure(name, args, owner, edge)
} finally {
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true })
}

/** @typedef {Awaited<ReturnType<typeof start>>} Node */

/** @param {object} told */
async function start(told) {
  const child = spawn(process.execPath, [join(root, 'bench/edge-process.mjs'), JSON.stringify(told)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const said = JSON.parse(String((await once(child.stdout, 'data'))[0]))
  return { child, said, cpu: () => cpuOf(child.pid ?? 0) }
}

/** Microseconds of CPU since the start of a process. @param {number} pid */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @param {Node} owner
 * @param {Node} edge
 */
async function measure(name, args, owner, edge) {
  /** @type {{ direct: number[], owner: number[], edge: number[] }} */
  const found = { direct: [], owner: [], edge: [] }
  for (let run = 0; run < Number(values.runs); run++) {
    found.direct.push((await load(args, owner.said.port, [owner]))[0] ?? 0)
    const [ofOwner = 0, ofEdge = 0] = await load(args, edge.said.port, [owner, edge])
    found.owner.push(ofOwner)
    found.edge.push(ofEdge)
  }
  const [direct, served, passed] = [found.direct, found.owner, found.edge].map((all) => median(all).toFixed(2))
  console.log(`${name}: direct ${direct}; by an edge: the node that serves ${served}, the edge ${passed}`)
}

/**
 * CPU of each node by message or connection.
 * @param {readonly string[]} args
 * @param {number} port
 * @param {readonly Node[]} nodes
 */
async function load(args, port, nodes) {
  const before = nodes.map((node) => node.cpu())
  const command = [join(root, 'packages/cli/dist/main.js'), 'bench', ...args, '--warmup', '0', '--json']
  command.splice(3, 0, `mqtt://127.0.0.1:${port}`)
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  const after = nodes.map((node) => node.cpu())
  const count = countIn(JSON.parse(text))
  return after.map((cpu, at) => (cpu - (before[at] ?? 0)) / count)
}

/** Messages that were delivered, or connections that were made. @param {Record<string, any>} result */
function countIn(result) {
  const count = result.scenario === 'conn' ? result.connections.count : result.messages.received
  if (!(count > 0)) throw new Error(`nothing was counted: ${JSON.stringify(result)}`)
  return Number(count)
}

/** A CA of the nodes, and a certificate for each. */
function certificates() {
  /** @param {readonly string[]} args */
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Bench CA')
  /** @param {string} name */
  const issue = (name) => {
    openssl('req', ...key.slice(0, -2), '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-out',
      `${name}.pem`,
    )
    return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`), ca: join(folder, 'ca.pem') }
  }
  return { a: issue('a.plant'), b: issue('b.plant') }
}
