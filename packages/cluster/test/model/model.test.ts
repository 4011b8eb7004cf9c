import { expect, it } from 'vitest'
import { ClusterModel } from './cluster-model.js'

const seeds = Number(process.env.GODWIT_CLUSTER_SEEDS ?? 1_000)
const first = Number(process.env.GODWIT_CLUSTER_FIRST ?? 1)

it(
  `${seeds} runs lose nothing, write nothing twice, and end in order`,
  async () => {
    for (let seed = first; seed < first + seeds; seed++) {
      const model = new ClusterModel(seed)
      const problems = await model.run()
      expect(problems.slice(0, 5), `seed ${seed}\n${model.simulation.story.join('\n')}`).toEqual([])
    }
  },
  120_000 + seeds * 60,
)
