import type { Drops } from './drops.js'
import { type DropCount, type DropsView, dropBucketMs, RecentDrops } from './recent-drops.js'
import type { Router } from './router/router.js'
import { type BusiestTopics, TopicSketch } from './router/topic-sketch.js'
import type { Clock } from './time/clock.js'
import type { TimerWheel } from './time/timer-wheel.js'

/** What is watched until it is stopped. */
export interface Watch {
  /**
   * Nothing that happens from then on is told. What has been gathered still is: before this resolves, or when the listener is
   * done with what it has. A second call does nothing.
   */
  stop(): Promise<void>
}

/** The busiest topics since the count began, in bounded memory: a count may be too high, none that is busy is missed. */
export interface TopicWatch extends Watch {
  /** So many, 1,000 at most, the busiest first; and how many are left out. */
  top(count: number): Promise<BusiestTopics>
}

/** What was dropped and refused in the last hour, since the watch began, in bounded memory. */
export interface DropWatch extends Watch {
  /** By reason, and by client: of five minutes 500 are counted by name; and the last ones with what is known of them. */
  recent(): Promise<DropsView>
  /** Of one client. */
  of(clientId: string): Promise<readonly DropCount[]>
}

/** Of what tells by itself until it is stopped. */
export function watchOf(started: { stop(): void }): Watch {
  return { stop: async () => started.stop() }
}

export function watchTopics(router: Pick<Router, 'watch'>): TopicWatch {
  const sketch = new TopicSketch()
  const stop = router.watch(sketch)
  return { top: async (count) => sketch.top(count), stop: async () => stop() }
}

export function watchDrops(drops: Pick<Drops, 'watch'>, wheel: TimerWheel, clock: Clock): DropWatch {
  const recent = new RecentDrops(() => clock.now())
  const stop = drops.watch(recent)
  let isOver = false
  const turn = (): void => {
    if (isOver) return
    wheel.after(dropBucketMs, turn)
    recent.turn()
  }
  wheel.after(dropBucketMs, turn)
  return {
    recent: async () => recent.view(),
    of: async (clientId) => recent.of(clientId),
    stop: async () => {
      isOver = true
      stop()
    },
  }
}
