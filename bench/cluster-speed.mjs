// What a durable message costs through a cluster, beside a broker alone on the same disk: CPU of broker, replica and servers apart.
//   node bench/cluster-speed.mjs [--runs N] [--seconds N] [--nats PROGRAM]
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { root } from '../scripts/prepare.mjs'
import { Actor } from './cluster-actor.mjs'
import { ClusterStage, fetchedNats, freePorts, until } from './cluster-stage.mjs'

const run = promisify(execFile)
const command = join(root, 'packages/cli/dist/main.js')
/** Messages a second; 0: as many as go. */
const rates = [1_000, 10_000, 50_000, 0]
/** What the kernel counts CPU in, a second. */
const ticks = 100

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    nats: { type: 'string', default: fetchedNats()[0] ?? '' },
  },
})

/** @param {number} port */
async function isListening(port) {
  const socket = connect(port, '127.0.0.1')
  const [event] = await Promise.race([once(socket, 'connect').then(() => ['connect']), once(socket, 'close')]).catch(
    () => ['error'],
  )
  socket.destroy()
  return event === 'connect'
}

/** CPU of processes since their start, in µs. @param {readonly Actor[]} actors */
function cpuOf(actors) {
  return actors.reduce((sum, { child }) => {
    const fields = readFileSync(`/proc/${child?.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return sum + ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticks
  }, 0)
}

/**
 * @param {Actor} broker @param {number} port @param {number} rate
 * @param {readonly (readonly Actor[])[]} others whose CPU is told apart
 */
async function measure(broker, port, rate, others = []) {
  const pace = rate > 0 ? ['--rate', String(rate)] : []
  const before = others.map(cpuOf)
  const { stdout } = await run(process.execPath, [
    ...[command, 'bench', 'pipe', `127.0.0.1:${port}`, '--qos', '1', '--clean', '0', '--json', ...pace],
    ...['--pid', String(broker.child?.pid), '--seconds', values.seconds],
  ])
  const { messages, messagesPerSecond, latencyMicros, broker: use } = JSON.parse(stdout)
  const apart = others.map((actors, at) => (cpuOf(actors) - (before[at] ?? 0)) / messages.received)
  return [
    messagesPerSecond,
    latencyMicros?.p50 ?? Number.NaN,
    latencyMicros?.p99 ?? Number.NaN,
    use.cpuMicrosPerMessage,
    ...apart,
  ]
}

/** @param {readonly (readonly number[])[]} runs */
function medians(runs) {
  return (runs[0] ?? []).map((_, at) => {
    const column = runs.map((one) => one[at] ?? Number.NaN).sort((a, b) => a - b)
    return column[column.length >> 1] ?? Number.NaN
  })
}

const stage = new ClusterStage(values.nats, { gates: false })
const folder = mkdtempSync(join(tmpdir(), 'godwit-alone-'))
const [port = 0] = await freePorts(1)
const alone = new Actor('alone', folder, [
  process.execPath,
  command,
  'broker',
  '--port',
  String(port),
  '--data',
  join(folder, 'data'),
])
try {
  await stage.start()
  alone.start()
  await until(() => isListening(port), 'the broker alone')
  console.log(`${values.nats}; median of ${values.runs} alternating runs of ${values.seconds} s
| messages a second | kind | delivered a second | p50 | p99 | broker CPU | replica CPU | CPU of all nats-servers |
|---|---|---|---|---|---|---|---|`)
  for (const rate of rates) {
    const [clustered, local] = [/** @type {number[][]} */ ([]), /** @type {number[][]} */ ([])]
    for (let n = 0; n < Number(values.runs); n++) {
      const owner = await stage.owner()
      const others = [[await stage.replica()], stage.servers]
      local.push(await measure(alone, port, rate))
      clustered.push(await measure(owner, stage.ports[stage.nodes.indexOf(owner)] ?? 0, rate, others))
      await stage.followed()
    }
    const what = rate > 0 ? String(rate) : 'saturated'
    for (const [kind, runs] of /** @type {const} */ ([
      ['cluster', clustered],
      ['alone', local],
    ])) {
      const [perSecond = 0, p50 = 0, p99 = 0, ...cpu] = medians(runs)
      const micros = cpu.map((one) => `${one.toFixed(1)} µs`)
      const cells = [
        what,
        kind,
        Math.round(perSecond),
        `${(p50 / 1_000).toFixed(1)} ms`,
        `${(p99 / 1_000).toFixed(1)} ms`,
        ...micros,
      ]
      console.log(`| ${[...cells, ...Array.from({ length: 8 - cells.length }, () => '–')].join(' | ')} |`)
    }
  }
} finally {
  await alone.end()
  rmSync(folder, { recursive: true, force: true })
  await stage.stop()
}
