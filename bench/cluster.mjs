// Faults of a cluster under load: what was acknowledged is there, once at QoS 2, in order, and no will of a living client goes out.
//   node bench/cluster.mjs [--rounds N] [--only PATTERN] [--nats PROGRAM] [--scale PART] [--older FOLDER]
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { faults } from './cluster-faults.mjs'
import { Load } from './cluster-load.mjs'
import { ClusterStage, fetchedNats, pause } from './cluster-stage.mjs'
import { ClusterState } from './cluster-state.mjs'
import { LoopDisk } from './loop-disk.mjs'

const usage = `node bench/cluster.mjs [options]
  --rounds N      of each fault (1)
  --only PATTERN  only faults whose names match
  --nats PROGRAM  the nats-server (the first that scripts/fetch-nats.sh has fetched)
  --scale PART    of 10,000 connected clients, 100,000 offline sessions with a million messages, and 100,000 retained (0.005)
  --older FOLDER  another Godwit, built there: the fault that upgrades nodes begins with it
  --list          the names of the faults`

/** @typedef {import('./cluster-faults.mjs').Fault} Fault */
/** @typedef {{ rounds: number, only: string, program: string, scale: number, older?: string | undefined }} Settings */

const seconds = (/** @type {number} */ ms) => `${(ms / 1_000).toFixed(1)} s`

/** @param {readonly number[]} list */
function medianAndWorst(list) {
  const sorted = [...list].sort((a, b) => a - b)
  return `${seconds(sorted[sorted.length >> 1] ?? 0)} / ${seconds(sorted.at(-1) ?? 0)}`
}

/** Why a fault cannot be played here. @param {Fault} fault @param {string | undefined} older */
function refusal({ needs }, older) {
  if (needs === 'disks') return LoopDisk.refusal()
  if (needs === 'an older Godwit' && older === undefined) return 'needs --older FOLDER'
  return needs === 'two versions' && fetchedNats().length < 2 ? 'needs two versions of nats-server' : undefined
}

/** The oldest first. */
function byAge() {
  const versionOf = (/** @type {string} */ program) =>
    (/v(\d+)\.(\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' })) ?? []).slice(1).map(Number)
  return fetchedNats().sort((one, other) => {
    const [[a = 0, b = 0], [c = 0, d = 0]] = [versionOf(one), versionOf(other)]
    return a - c || b - d
  })
}

/**
 * One fault so many times, on one stage. @param {ClusterStage} stage @param {ClusterState} state @param {Fault} fault
 * @param {Settings} settings
 */
async function play(stage, state, fault, { rounds }) {
  const gaps = []
  const backs = []
  const wrong = []
  let [acknowledged, refused] = [0, 0]
  for (let round = 0; round < rounds; round++) {
    const load = new Load(stage, state.connected)
    await load.begin()
    await pause(1_500)
    load.restartGap()
    await fault.run(stage)
    await stage.owner()
    await load.back()
    await pause(2_000)
    gaps.push(load.gapMs)
    backs.push(load.backMs)
    wrong.push(...(await load.end()), ...(await state.problems()))
    const away = `${seconds(gaps.at(-1) ?? 0)} without an answer, 99 % of clients back after ${seconds(load.backMs)}`
    console.error(`${fault.name}, round ${round + 1}: ${away}`)
    acknowledged += load.acknowledged.reduce((sum, one) => sum + one, 0)
    refused += load.refused
    await stage.followed()
  }
  const cells = [
    fault.name,
    rounds,
    acknowledged,
    refused,
    medianAndWorst(gaps),
    medianAndWorst(backs),
    wrong.join('; ') || 0,
  ]
  console.log(`| ${cells.join(' | ')} |`)
  return wrong.length === 0
}

/** On a stage of its own: those that need disks which can lose power, and those that do not. @param {readonly Fault[]} some @param {Settings} settings */
async function playAll(some, settings) {
  if (some.length === 0) return true
  const { program, scale, older } = settings
  const need = (/** @type {Fault['needs']} */ what) => some.some(({ needs }) => needs === what)
  const stage = new ClusterStage(program, {
    disks: need('disks'),
    edges: need('edges'),
    ...(need('an older Godwit') && { older }),
  })
  let isRight = false
  try {
    await stage.start()
    const state = new ClusterState(stage, scale)
    await state.make()
    let areRight = true
    for (const fault of some) areRight = (await play(stage, state, fault, settings)) && areRight
    const missing = await state.end()
    if (missing.length > 0) console.log(`of what was there before: ${missing.join('; ')}`)
    isRight = areRight && missing.length === 0
  } finally {
    if (isRight) await stage.stop()
    else {
      await stage.end()
      console.log(`left as it is, without its processes: ${stage.folder}`)
    }
  }
  return isRight
}

/**
 * Each fault so many times. @param {Partial<Settings>} [options]
 * @returns {Promise<boolean>} whether all held
 */
export async function proveCluster({ rounds = 1, only = '', program = fetchedNats()[0], scale = 0.005, older } = {}) {
  if (program === undefined) throw new Error('there is no nats-server: scripts/fetch-nats.sh fetches one')
  const some = faults.filter(({ name }) => new RegExp(only).test(name))
  const able = some.filter((fault) => refusal(fault, older) === undefined)
  for (const fault of some) {
    const why = refusal(fault, older)
    if (why !== undefined) console.log(`${fault.name}: not played, ${why}`)
  }
  const settings = { rounds, only, program, scale, older }
  const { words } = new ClusterState(new ClusterStage(program), scale)
  console.log(`${program}; ${words}
| fault | rounds | acknowledged | refused | no answer, median / worst | 99 % of clients back | wrong |
|---|---|---|---|---|---|---|`)
  const those = (/** @type {Fault['needs']} */ what) => able.filter(({ needs }) => needs === what)
  let isRight = await playAll(those(undefined), settings)
  isRight = (await playAll(those('edges'), settings)) && isRight
  isRight = (await playAll(those('disks'), settings)) && isRight
  for (let round = 0; round < rounds; round++) {
    const oldest = { ...settings, rounds: 1, program: byAge()[0] ?? program } // what was upgraded stays so
    isRight = (await playAll(those('two versions'), oldest)) && isRight
    isRight = (await playAll(those('an older Godwit'), { ...settings, rounds: 1 })) && isRight
  }
  return isRight
}

if (process.argv[1] === import.meta.filename) {
  const text = /** @type {const} */ ({ type: 'string' })
  const flag = /** @type {const} */ ({ type: 'boolean' })
  const { values } = parseArgs({
    options: { rounds: text, only: text, nats: text, scale: text, older: text, list: flag, help: flag },
  })
  const { rounds, only, nats, scale, older, list, help } = values
  if (help) console.log(usage)
  else if (list) console.log(faults.map(({ name }) => name).join('\n'))
  else {
    const isRight = await proveCluster({
      rounds: Number(rounds ?? 1),
      ...(only && { only }),
      ...(nats && { program: nats }),
      ...(scale && { scale: Number(scale) }),
      ...(older && { older }),
    })
    process.exitCode = isRight ? 0 : 1
  }
}
