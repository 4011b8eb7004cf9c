import { setTimeout as after } from 'node:timers/promises'
import type { QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import type { BrokerProcess } from './broker-process.js'
import { playCrashes } from './crashes.js'
import type { Random } from './random.js'
import { type Presence, Scene } from './scene.js'
import { V5Scene } from './v5-scene.js'

const rounds = Number(process.env.GODWIT_TEST_KILL_ROUNDS ?? 5)
/** A round of 5.0 looks at more, and takes longer. */
const v5Rounds = Math.ceil(rounds / 2)
/** The shortest and the longest load before the kill. */
const loadMs = [10, 120] as const

describe.for<QoS>([1, 2])('a broker killed at any moment under QoS %i load', (qos) => {
  it.for<Presence>(['offline', 'online', 'mid-handshake'])(
    'keeps its promises to a subscriber that is %s',
    { timeout: 10_000 + rounds * 3_000 },
    async (presence) => {
      const { acknowledged, findings } = await playCrashes({
        ...{ suite: 'kill', mode: `QoS ${qos}, subscriber ${presence}`, rounds },
        play: (random) => new Scene(qos, [presence], random),
        crash: killAtRandom,
      })
      expect(findings.all).toEqual({})
      expect(acknowledged).toBeGreaterThan(rounds)
    },
  )

  it('keeps its promises of 5.0: expiry, properties, options, delayed wills, shared groups', {
    timeout: 10_000 + v5Rounds * 3_000,
  }, async () => {
    const { acknowledged, findings } = await playCrashes({
      ...{ suite: 'kill', mode: `5.0, QoS ${qos}`, rounds: v5Rounds },
      play: (random) => new V5Scene(qos, random),
      crash: killAtRandom,
    })
    expect(findings.all).toEqual({})
    expect(acknowledged).toBeGreaterThan(v5Rounds)
  })
})

async function killAtRandom(broker: BrokerProcess, random: Random): Promise<void> {
  await after(random.between(...loadMs))
  await broker.kill()
}
