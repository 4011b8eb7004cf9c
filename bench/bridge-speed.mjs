// How fast an outward bridge is at QoS 1, from disk, and what a message costs it beside the durable pipe: node bench/bridge-speed.mjs
import { fork, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const child = fileURLToPath(new URL('bridge-child.mjs', import.meta.url))
const cli = fileURLToPath(new URL('../packages/cli/bin/godwit.js', import.meta.url))
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    window: { type: 'string', default: '2000' },
    publisher: { type: 'string', default: '1' },
    profile: { type: 'string' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'godwit-bridge-speed-'))
let life = 0

/**
 * @param {number} port
 * @param {object | undefined} options of a bridge.
 */
async function start(port, options, store = 'disk') {
  const execArgv = values.profile && options ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : []
  const directory = store === 'disk' ? join(folder, `${life++}`) : undefined
  const broker = fork(child, [JSON.stringify({ directory, port, options })], { execArgv })
  broker.setMaxListeners(0)
  await new Promise((resolve, reject) => {
    broker.on('message', (/** @type {any} */ { ready }) => ready && resolve(undefined))
    broker.once('exit', reject)
  })
  return broker
}

/** @param {number | undefined} pid */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/**
 * @param {import('node:child_process').ChildProcess} broker
 * @returns {Promise<any>}
 */
const viewOf = (broker) =>
  new Promise((resolve) => {
    broker.on('message', (/** @type {any} */ m) => m.view && resolve({ ...m.view, commits: m.commits, store: m.store }))
    broker.send('view')
  })

/** @param {import('node:child_process').ChildProcess} broker */
async function stopped(broker) {
  const ended = new Promise((resolve) => broker.once('exit', resolve))
  broker.disconnect()
  await ended
}

/** @returns {Promise<{ perSecond: number, cpuUs: number }>} */
async function bridged() {
  const far = await start(18_851, undefined, 'memory')
  const near = await start(18_852, {
    name: 'speed',
    url: 'mqtt://127.0.0.1:18851',
    clientId: 'speed',
    state: false,
    topics: [{ filter: 'bench/#', direction: 'out', qos: 1 }],
  })
  const load = spawn(
    process.execPath,
    [
      cli,
      'bench',
      'pub',
      'mqtt://127.0.0.1:18852',
      '--qos',
      values.publisher,
      '--window',
      values.window,
      '--seconds',
      String(Number(values.seconds) + 3),
      '--topic',
      'bench',
      '--json',
    ],
    { stdio: 'ignore' },
  )
  await wait(2_500)
  const [before, cpu, at] = [await viewOf(near), cpuMs(near.pid), performance.now()]
  const others = [cpuMs(far.pid), cpuMs(load.pid)]
  await wait(Number(values.seconds) * 1000)
  const [after, cpuAfter, atAfter] = [await viewOf(near), cpuMs(near.pid), performance.now()]
  console.log(
    'cpu % far, load, near',
    [cpuMs(far.pid) - (others[0] ?? 0), cpuMs(load.pid) - (others[1] ?? 0), cpuAfter - cpu].map((ms) =>
      Math.round((ms / (atAfter - at)) * 100),
    ),
  )
  console.log(JSON.stringify(before.commits), JSON.stringify(after.commits), JSON.stringify(after.store))
  load.kill()
  const count = after.out - before.out
  console.log(after.queued, 'queued', JSON.stringify(after.dropped))
  await stopped(near)
  await stopped(far)
  return { perSecond: (count / (atAfter - at)) * 1000, cpuUs: ((cpuAfter - cpu) * 1000) / count }
}

async function piped() {
  const broker = await start(18_853, undefined)
  const { stdout } = spawnSync(
    process.execPath,
    [
      cli,
      'bench',
      'pipe',
      'mqtt://127.0.0.1:18853',
      '--qos',
      '1',
      '--clean',
      '0',
      '--window',
      values.window,
      '--seconds',
      values.seconds,
      '--pid',
      String(broker.pid),
      '--json',
    ],
    { encoding: 'utf8' },
  )
  const found = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}')
  await stopped(broker)
  return found
}

for (let run = 0; run < Number(values.runs); run++) {
  if (values.only !== 'pipe') console.log('bridge', JSON.stringify(await bridged()))
  if (values.only !== 'bridge') console.log('pipe', JSON.stringify(await piped()))
}
rmSync(folder, { recursive: true, force: true })
