import type { BrokerFacts, ClusterFacts } from './answers.js'
import { isBehind, isHere } from './cluster.js'
import { bytes, count, duration, milliseconds, plain } from './format.js'
import { grownIn, type Look, meanIn, sum } from './live.js'
import { points } from './news.js'
import { texts } from './texts.js'

/** Something that whoever runs the broker should look at, and what to do. */
export interface Attention {
  readonly id: string
  readonly isBad: boolean
  readonly title: string
  readonly todo: string
}

const minuteMs = 60_000
const dayMs = 86_400_000
/** As in the alert rules of packaging/monitoring. */
const slowCommitSeconds = 0.5
const lateSeconds = 0.25
const fullShare = 0.8
const certificateMs = 14 * dayMs

/** What deserves attention now, the worst first. */
export function attentionTo({ broker, counters, cluster }: Look, now: number = Date.now()): readonly Attention[] {
  const words = texts.attention
  const found: Attention[] = []
  const add: Add = (id, isBad, [title, todo]) => {
    found.push({ id, isBad, title: title!, todo: todo! })
  }
  const { commits, store, plain } = counters
  if (!broker.ready) add('not-ready', true, words.notReady(broker.notReadyBecause.join('; ')))
  if (commits.failing !== null) add('failing', true, words.failing(commits.failing))
  if (store.isLow) add('low', true, words.low(bytes(store.freeBytes), bytes(store.reserveBytes)))
  if (store.damagedRecords > 0) add('damaged', true, words.damaged(count(store.damagedRecords)))
  if ((plain.internalErrors ?? 0) > 0) add('internal', true, words.internal(count(plain.internalErrors!)))
  for (const name of ['waiting', 'stored'] as const) {
    const { bytes: held, most } = broker[name]
    if (most !== null && held > most * fullShare) add(name, false, words[name](bytes(held), bytes(most)))
  }
  const dropped = grownIn(minuteMs, (one) => sum(one.dropped))
  if (dropped > 0) add('dropping', false, words.dropping(count(dropped)))
  const refused = grownIn(minuteMs, (one) => sum(one.refused) + sum(one.handshakesRefused))
  if (refused > 0) add('refusing', false, words.refusing(count(refused)))
  const commit = meanIn(minuteMs, (one) => one.commits.latency)
  if (commit !== null && commit > slowCommitSeconds) add('slow', false, words.slow(milliseconds(commit)))
  const late = lateness()
  if (late !== undefined) add('late', false, words.late(milliseconds(late)))
  if (broker.tlsExpiresAt !== null) {
    const leftMs = new Date(broker.tlsExpiresAt).getTime() - now
    if (leftMs <= 0) add('expired', true, words.expired())
    else if (leftMs < certificateMs) add('certificate', false, words.certificate(duration(leftMs / 1_000)))
  }
  lookAtUnreached(broker, now, add)
  lookAtCluster(cluster, now, add)
  return found
}

type Add = (id: string, isBad: boolean, words: readonly string[]) => void

/** What is away for a moment comes back by itself. */
function lookAtUnreached({ unreached }: BrokerFacts, now: number, add: Add): void {
  for (const { what, name, since, problem } of unreached) {
    if (now - Date.parse(since) <= minuteMs) continue
    add(`${what} ${name}`, false, texts.attention.unreached[what](plain(name), plain(problem)))
  }
}

function lookAtCluster(cluster: ClusterFacts | undefined, now: number, add: Add): void {
  if (!cluster) return
  const { held, silentSeconds, nodes } = cluster
  const words = texts.attention
  if (held === 'silent') add('silent', true, words.silent(duration(silentSeconds)))
  if (held === 'full') add('full', true, words.full())
  const here = nodes.filter((node) => isHere(node, now))
  for (const { node, role } of here) if (role === 'diverged') add(`diverged ${node}`, true, words.diverged(node))
  for (const node of here) {
    if (isBehind(node)) add(`behind ${node.node}`, false, words.behind(node.node, count(node.behindFrames)))
  }
  if (!here.some(({ role }) => role === 'following')) add('no-heir', false, words.noHeir())
}

/** By how many seconds the event loop is late, where it has been so for most of the last half minute. */
function lateness(): number | undefined {
  const lately = points.value.slice(-30).flatMap(({ eventLoopSeconds: late }) => (typeof late === 'number' ? late : []))
  const sorted = lately.sort((one, other) => one - other)
  const middle = sorted[Math.floor(sorted.length / 2)]
  return sorted.length >= 10 && middle !== undefined && middle > lateSeconds ? middle : undefined
}
