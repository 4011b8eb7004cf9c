import { reason, type Unsubscribe } from '@godwit/protocol'
import { type Commit, later, noCommit } from '../commit.js'
import { whenReady } from '../maybe-async.js'
import type { Answer, Context } from './context.js'
import { inTurns } from './in-turns.js'

/** UNSUBSCRIBE (section 3.10): only filters that are equal to the letter go [MQTT-3.10.4-1]; it is answered always [MQTT-3.10.4-5]. */
export function onUnsubscribe(c: Context, p: Unsubscribe): Answer {
  const reasonCodes: number[] = []
  let commit: Commit = noCommit
  const leave = (filter: string): void => {
    const isKnown = c.session.subscriptions.has(filter)
    reasonCodes.push(isKnown ? reason.success : reason.noSubscriptionExisted)
    if (isKnown) commit = later(commit, c.session.unsubscribe(filter))
  }
  const done = inTurns(p.filters.length, (from, to) => {
    if (!c.closed) for (const filter of p.filters.slice(from, to)) leave(filter)
  })
  return whenReady(done, () =>
    c.closed ? undefined : { packet: { type: 'unsuback', packetId: p.packetId, reasonCodes }, commit },
  )
}
