import { allChecks, allChecks50, type Check, hostileChecks, hostileChecks50, runCheck } from '@godwit/conformance'
import { describe, expect, it } from 'vitest'
import { type Liberty, liberties } from './responder/liberties.js'
import { Responder } from './responder/responder.js'

const everything = [...allChecks, ...allChecks50, ...hostileChecks, ...hostileChecks50]
const named = Object.entries(liberties) as [Liberty, string][]

async function failuresOf(checks: readonly Check[], ...choices: readonly Liberty[]) {
  const failed: string[] = []
  const taken = new Set<Liberty>()
  for (const check of checks) {
    const responder = new Responder(...choices)
    const { id, version, outcome, detail } = await runCheck(responder, check)
    if (outcome === 'fail') failed.push(`${version} ${id} ${detail}`)
    for (const liberty of responder.taken) taken.add(liberty)
  }
  return { failed, taken: [...taken] }
}

describe('no check holds against a server what the standard leaves to it', () => {
  it.each(named)('%s: %s', async (liberty) => {
    expect(await failuresOf(everything, liberty)).toEqual({ failed: [], taken: [liberty] })
  })

  it('all that go together, at once', async () => {
    const others: readonly Liberty[] = ['limits-untold', 'replies-by-kind-backwards']
    const together = named.map(([liberty]) => liberty).filter((liberty) => !others.includes(liberty))
    expect((await failuresOf(everything, ...together)).failed).toEqual([])
  })
})
