import { describe, expect, it } from 'vitest'
import { ClusterModel } from './cluster-model.js'
import { mistakes } from './mistakes.js'

/** Runs in which a mistake must have shown. */
const mostSeeds = 300

describe('the model tells what is right from what is not', () => {
  it.each(Object.entries(mistakes))('%s', async (_, making) => {
    for (let seed = 1; seed <= mostSeeds; seed++) {
      if ((await new ClusterModel(seed, making).run()).length > 0) return
    }
    expect.fail(`${mostSeeds} runs have not shown it`)
  })
})
