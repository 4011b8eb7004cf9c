import type { QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import type { Step } from './broker-process.js'
import { playCrashes } from './crashes.js'

const rounds = Number(process.env.GODWIT_FAULT_ROUNDS ?? 3)
const presences = ['offline', 'mid-handshake'] as const
/** The commit under load at which the broker dies, at the latest. */
const latestVisit = 30

describe.for<QoS>([1, 2])('a broker that dies between the steps of a commit under QoS %i load', (qos) => {
  it.for<Step>(['gathered', 'committed', 'flushed'])(
    'keeps its promises: %s',
    { timeout: 10_000 + rounds * 3_000 },
    async (step) => {
      const { findings } = await playCrashes({
        ...{ suite: 'fault points', mode: `QoS ${qos}, ${step}`, qos, presences, rounds },
        crash: async (broker, random) => {
          broker.dieAt({ step, visit: random.between(1, latestVisit) })
          await broker.gone
        },
      })
      expect(findings.all).toEqual({})
    },
  )
})
