import { randomInt } from 'node:crypto'
import { Random as Seeded } from './random.mjs'

/** The seed of this run: printed with every figure, given back through the environment to see a failure again. */
export const seed: number = Number(process.env.GODWIT_TEST_SEED ?? randomInt(2 ** 31))

/** Numbers that look random and are the same for the same seed: by default that of this run. */
export class Random extends Seeded {
  constructor(from: number = seed) {
    super(from)
  }

  /** @throws Error when there is nothing to choose from. */
  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error('nothing to pick from')
    return from[this.between(0, from.length - 1)]!
  }
}
