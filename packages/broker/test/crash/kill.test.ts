import { setTimeout as after } from 'node:timers/promises'
import type { QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { playCrashes } from './crashes.js'
import type { Presence } from './scene.js'

const rounds = Number(process.env.GODWIT_KILL_ROUNDS ?? 8)
/** The shortest and the longest load before the kill. */
const loadMs = [10, 120] as const

describe.for<QoS>([1, 2])('a broker killed at any moment under QoS %i load', (qos) => {
  it.for<Presence>(['offline', 'online', 'mid-handshake'])(
    'keeps its promises to a subscriber that is %s',
    { timeout: 10_000 + rounds * 3_000 },
    async (presence) => {
      const { acknowledged, findings } = await playCrashes({
        ...{ suite: 'kill', mode: `QoS ${qos}, subscriber ${presence}`, qos, presences: [presence], rounds },
        crash: async (broker, random) => {
          await after(random.between(...loadMs))
          await broker.kill()
        },
      })
      expect(findings.all).toEqual({})
      expect(acknowledged).toBeGreaterThan(rounds)
    },
  )
})
