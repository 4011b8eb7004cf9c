import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isGood, playBridge } from '../../bench/bridge-rounds.mjs'
import { needs } from './needs.js'

const mosquitto = {
  missing: existsSync('/usr/sbin/mosquitto') ? undefined : 'mosquitto is not installed: apt-get install mosquitto',
}

/** Brokers that start and end again on a machine that may be busy. Ms. */
const longest = 90_000

/** A short round of `npm run proof -- --bridges`, which plays all of them at length. */
const round = { rounds: 4, seed: 1, roundMs: 200, qos: 2, direction: 'both' } as const

test.each([4, 5] as const)(
  'a bridge to Godwit, version %i, both ways, killed and cut',
  async (version) => {
    const found = await playBridge({ ...round, far: 'godwit', version })
    expect(found, JSON.stringify(found)).toSatisfy((tally) => isGood(round, tally))
  },
  longest,
)

test(
  'a bridge to mosquitto at 5.0, both ways, this side killed, the network cut, mosquitto stopped and restarted',
  async (context) => {
    needs(context, mosquitto)
    const found = await playBridge({ ...round, far: 'mosquitto', version: 5 })
    expect(found, JSON.stringify(found)).toSatisfy((tally) => isGood(round, tally))
  },
  longest,
)
