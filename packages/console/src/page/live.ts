import { effect, signal } from '@preact/signals'
import type { BrokerFacts, ClusterFacts, Counters } from './answers.js'
import { get, Problem } from './api.js'
import { place } from './router.js'
import { self } from './session.js'

/** How often the broker is looked at, by whoever sees the figures, and else; and how many looks are kept: ten minutes of them. */
const everyMs = 5_000
const restingMs = 15_000
const mostLooks = 120

/** One look at the broker: counters, and what there is. */
export interface Look {
  /** Epoch ms. */
  readonly at: number
  readonly counters: Counters
  readonly broker: BrokerFacts
  /** Left out: it is alone. */
  readonly cluster?: ClusterFacts
}

/** The looks of the last minutes, the oldest first. */
export const looks = signal<readonly Look[]>([])

/** Whether this is a node of a cluster that follows: what only a broker has is not here. */
export const follows = signal(false)

/** Why the last one did not come. */
export const lookProblem = signal<unknown>(undefined)

let timer: ReturnType<typeof setTimeout> | undefined
let turn = 0

// As long as somebody is logged in. A tab that nobody sees looks on, so that its curves have no holes, but less often.
effect(() => {
  clearTimeout(timer)
  if (self.value) void look()
  else looks.value = []
})
effect(() => {
  if (place.value.page === '' && self.peek()) void look() // whoever comes to the figures sees them as they are now
})

async function look(): Promise<void> {
  clearTimeout(timer)
  const mine = ++turn
  try {
    const [counters, broker] = await Promise.all([get<Counters>('/counters'), get<BrokerFacts>('/broker')])
    const cluster = broker.cluster === null ? undefined : await get<ClusterFacts>('/cluster')
    if (mine !== turn || !self.peek()) return
    const found = { at: new Date(counters.at).getTime(), counters, broker, ...(cluster && { cluster }) }
    const before = looks.peek().at(-1)
    // After a restart counters begin anew, and so do the curves.
    const isAnother = before !== undefined && broker.uptimeSeconds < before.broker.uptimeSeconds
    looks.value = [...(isAnother ? [] : looks.peek().slice(1 - mostLooks)), found]
    lookProblem.value = undefined
    follows.value = false
  } catch (error) {
    lookProblem.value = error
    if (isNotServing(error)) {
      looks.value = []
      follows.value = true
    }
  }
  if (mine === turn && self.peek()) timer = setTimeout(() => void look(), isWatched() ? everyMs : restingMs)
}

/** Whether somebody sees what a look brings. Of a node that follows all do: it may serve any moment. */
function isWatched(): boolean {
  return !document.hidden && (follows.peek() || place.peek().page === '')
}

function isNotServing(error: unknown): boolean {
  return error instanceof Problem && error.code === 'not-serving'
}

/** How much a counter has grown in the last so many ms. */
export function grownIn(ms: number, of: (counters: Counters) => number): number {
  const all = looks.value
  const last = all.at(-1)
  const first = last && all.find(({ at }) => at >= last.at - ms)
  return last && first ? Math.max(0, of(last.counters) - of(first.counters)) : 0
}

/** The mean of a histogram in the last so many ms, and null where nothing fell into it. */
export function meanIn(
  ms: number,
  of: (counters: Counters) => { readonly sum: number; readonly count: number },
): number | null {
  const count = grownIn(ms, (counters) => of(counters).count)
  return count > 0 ? grownIn(ms, (counters) => of(counters).sum) / count : null
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, value) => total + value, 0)
}
