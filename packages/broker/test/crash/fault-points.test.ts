import type { QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import type { Mutant, Step } from './broker-process.js'
import { dieAt, playCrashes } from './crashes.js'
import type { Findings } from './findings.js'
import { Scene } from './scene.js'
import { V5Scene } from './v5-scene.js'

const rounds = Number(process.env.GODWIT_TEST_FAULT_ROUNDS ?? 2)
/** A round of 5.0 looks at more, and takes longer. */
const v5Rounds = Math.ceil(rounds / 2)
const steps: readonly Step[] = ['gathered', 'committed', 'flushed']
const presences = ['offline', 'mid-handshake'] as const
/** A mutant that has not been found out by then is not found out. */
const mutantRounds = 12

describe.for<QoS>([1, 2])('a broker that dies between the steps of a commit under QoS %i load', (qos) => {
  it.for(steps)('keeps its promises: %s', { timeout: 10_000 + rounds * 3_000 }, async (step) => {
    const { findings } = await playCrashes({
      ...{ suite: 'fault points', mode: `QoS ${qos}, ${step}`, rounds },
      play: (random) => new Scene(qos, presences, random),
      crash: dieAt(step),
    })
    expect(findings.all).toEqual({})
  })

  it.for(steps)('keeps its promises of 5.0: %s', { timeout: 10_000 + v5Rounds * 3_000 }, async (step) => {
    const { findings } = await playCrashes({
      ...{ suite: 'fault points', mode: `5.0, QoS ${qos}, ${step}`, rounds: v5Rounds },
      play: (random) => new V5Scene(qos, random),
      crash: dieAt(step),
    })
    expect(findings.all).toEqual({})
  })
})

describe('a store that breaks a promise is found out', () => {
  it.for<[mutant: Mutant, kind: keyof Findings, step: Step]>([
    ['does not wait', 'lost', 'gathered'],
    ['moves messages in two steps', 'lost', 'committed'],
    ['forgets received ids', 'duplicates', 'committed'],
    ['forgets when a session was left', 'sessionsGone', 'committed'],
    ['forgets that a session has ended', 'sessionsOverdue', 'committed'],
    ['forgets how subscriptions were granted', 'subscriptions', 'gathered'],
    ['forgets when a message expires', 'expiry', 'committed'],
    ['forgets when a retained message expires', 'expiry', 'committed'],
    ['forgets the properties of messages', 'changed', 'committed'],
    ['forgets when a will is due', 'wills', 'committed'],
    ['forgets that a will is gone', 'wills', 'committed'],
  ])('it %s: %s', { timeout: 10_000 + mutantRounds * 3_000 }, async ([mutant, kind, step]) => {
    const { findings } = await playCrashes({
      ...{ suite: 'fault points', mode: `a store that ${mutant}`, rounds: mutantRounds, mutant, until: kind },
      play: (random) => new V5Scene(2, random),
      crash: dieAt(step),
    })
    expect(findings.all).toHaveProperty(kind)
  })
})
