import { VirtualClock } from '@godwit/broker/testing'
import { expect, it } from 'vitest'
import type { Position } from '../log/position.js'
import { Candidacy } from './candidacy.js'
import type { Follower } from './follower.js'
import { Lease } from './lease.js'
import type { NodeVoice } from './node-voice.js'

/** Node b, whose copy has all of a log that its owner has let go. */
function setUp(heir?: string) {
  const clock = new VirtualClock()
  const said: string[] = []
  const voice = { tell: () => {}, say: (_: string, words: string) => said.push(words) } as unknown as NodeVoice
  const candidacy = new Candidacy({
    ...{ node: 'b', preferred: false, clock, voice },
    others: () => [],
    isNameTaken: () => false,
  })
  const applied = { released: true, wall: clock.now(), ...(heir !== undefined && { heir }) } as Position
  const follower = { isCaughtUp: true, applied, skewMs: 0 } as unknown as Follower
  const lease = new Lease(3_000)
  const mayClaim = ({ isLeaderSilent = false } = {}): boolean => {
    const now = clock.monotonic()
    if (!isLeaderSilent) lease.answered(now, true)
    return candidacy.isItsTurn(candidacy.isDue(follower, lease, now), applied, now)
  }
  return { clock, candidacy, mayClaim, said }
}

it('a log that was let go is claimed at once', () => {
  const { mayClaim } = setUp()
  expect(mayClaim()).toBe(true)
})

it('what was let go once is not claimed while the leader of the log is silent: another may have it by now', () => {
  const { clock, mayClaim } = setUp('c')
  expect(mayClaim()).toBe(false)
  clock.advance(6_000) // it stood still
  expect(mayClaim({ isLeaderSilent: true })).toBe(false)
})

it('who has just let go lets others come first', () => {
  const { clock, candidacy, mayClaim } = setUp()
  candidacy.rest(6_000)
  expect(mayClaim()).toBe(false)
  clock.advance(6_000)
  expect(mayClaim()).toBe(true)
})

it('who has just let go and is named by the next owner claims at once', () => {
  const { candidacy, mayClaim } = setUp('b')
  candidacy.rest(6_000)
  expect(mayClaim()).toBe(true)
})

it('another one that is named comes first', () => {
  const { clock, mayClaim } = setUp('c')
  expect(mayClaim()).toBe(false)
  clock.advance(1_500)
  expect(mayClaim()).toBe(true)
})

it('a claim that a person wants is tried again when the owner has written before it, and given up with a word when it always does', () => {
  const { candidacy, mayClaim, said } = setUp('c')
  candidacy.force()
  for (let refusal = 1; refusal < 10; refusal++) {
    candidacy.refused()
    expect(mayClaim()).toBe(true)
  }
  candidacy.refused()
  expect(mayClaim()).toBe(false)
  expect(said).toEqual(['the log was not claimed: its owner lives, and writes all the time; have it hand over instead'])
})

it('a claim that a person wants is wanted once', () => {
  const { candidacy, mayClaim } = setUp('c')
  candidacy.force()
  candidacy.succeeded()
  expect(mayClaim()).toBe(false)
})
