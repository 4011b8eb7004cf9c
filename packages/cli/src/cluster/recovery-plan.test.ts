import type { NodeNote, NodeStatus } from '@godwit/cluster'
import { describe, expect, it } from 'vitest'
import { recoveryPlan } from './recovery-plan.js'

const status = (role: NodeStatus['role'], more: Partial<NodeStatus> = {}): NodeStatus =>
  ({ node: 'b', role, epoch: 7, applied: 1234, appliedAt: Date.UTC(2026, 10, 30), last: 2, ...more }) as NodeStatus
const note = (node: string, role: string, applied: number): NodeNote => ({ node, role, epoch: 7, applied }) as NodeNote
const plan = (from: string, of: NodeStatus, notes: readonly NodeNote[] = []) =>
  recoveryPlan({ cluster: 'plant', from, status: of, notes })

describe('recover --from', () => {
  it('this node has the log begin anew with its copy, and says what is given up', () => {
    expect(plan('b', status('following'), [note('a', 'diverged', 1300), note('c', 'diverged', 1200)])).toEqual({
      deed: 'publish',
      words: 'b 1234',
      lines: [
        'the log of plant would begin anew with the copy of b: frame 1234 of epoch 7, written 2026-11-30T00:00:00.000Z',
        'given up: what stands in the log, which ends at frame 2, and is not in that copy',
        'a has told of a copy that goes further: look at it with "godwit cluster status" there',
      ],
    })
  })

  it('another node sets a copy that has parted from the log aside', () => {
    expect(plan('a', status('diverged'), [note('a', 'following', 5)])).toMatchObject({
      deed: 'set aside',
      words: 'b 1234',
    })
  })

  it.each([
    ['an owner', 'b', status('owner'), [], 'nothing to recover from'],
    ['a node that follows', 'a', status('following'), [], 'has not parted from the log'],
    ['a node nobody knows', 'x', status('diverged'), [], 'no node "x"'],
    [
      'a node that is not there yet',
      'a',
      status('diverged'),
      [note('a', 'diverged', 5)],
      'say "godwit cluster recover --from a" there first',
    ],
  ])('refuses %s', (_, from, of, notes, words) => {
    expect(() => plan(from, of, notes)).toThrow(words)
  })
})
