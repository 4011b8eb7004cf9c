import { expect, it } from 'vitest'
import { commitNumbered as commit, noCommit } from '../commit.js'
import { Commits } from './commits.js'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('Commits lets others have their turn when very many wait for one commit, and keeps their order', async () => {
  const store = { flushed: noCommit, barrier: () => noCommit }
  const commits = new Commits(store)
  const called: number[] = []
  for (let n = 0; n < 4_500; n++) commits.after(commit(n < 4_000 ? 1 : 2), () => called.push(n))
  store.flushed = commit(1)
  commits.onFlushed()
  store.flushed = commit(2)
  commits.onFlushed()
  expect(called).toHaveLength(2_000)
  await nextTurn()
  await nextTurn()
  await nextTurn()
  expect(called).toEqual(Array.from({ length: 4_500 }, (_, n) => n))
})

it('Commits calls what waits once its commit is flushed, in the order of commits', () => {
  const store = { flushed: commit(2), barrier: () => noCommit }
  const commits = new Commits(store)
  const called: string[] = []
  commits.after(commit(2), () => called.push('flushed already'))
  commits.after(commit(5), () => called.push('five'))
  commits.after(commit(3), () => {
    called.push('three')
    commits.after(commit(5), () => called.push('five, later'))
  })
  commits.after(commit(3), () => called.push('three too'))
  commits.after(commit(6), () => called.push('six'))
  expect(called.splice(0)).toEqual(['flushed already'])
  store.flushed = commit(4)
  commits.onFlushed()
  expect(called.splice(0)).toEqual(['three', 'three too'])
  store.flushed = commit(6)
  commits.onFlushed()
  commits.onFlushed()
  expect(called).toEqual(['five', 'five, later', 'six'])
})

it('Commits says when nobody waits any more', async () => {
  const store = { flushed: noCommit, barrier: () => noCommit }
  const commits = new Commits(store)
  await commits.whenIdle()
  for (let n = 0; n < 2_001; n++) commits.after(commit(1), () => {})
  let isIdle = false
  const idle = commits.whenIdle().then(() => {
    isIdle = true
  })
  store.flushed = commit(1)
  commits.onFlushed()
  await Promise.resolve()
  expect(isIdle).toBe(false) // one is left for the next turn
  await idle
})
