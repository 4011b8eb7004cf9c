import { configureGlobal } from 'fast-check'

/**
 * Property tests play the same cases each time, so that a change fails for what it did; `GODWIT_TEST_SEED=random`, as
 * `npm run proof` has it, or a number plays others. What fails prints its seed.
 */
const wish = process.env.GODWIT_TEST_SEED ?? '1883'
if (wish !== 'random') configureGlobal({ seed: Number(wish) })
