import { expect, it } from 'vitest'
import { Commits } from './commits.js'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('Commits lets others have their turn when very many wait for one commit, and keeps their order', async () => {
  const store = { flushed: 0 }
  const commits = new Commits(store)
  const called: number[] = []
  for (let n = 0; n < 4_500; n++) commits.after(n < 4_000 ? 1 : 2, () => called.push(n))
  store.flushed = 1
  commits.onFlushed()
  store.flushed = 2
  commits.onFlushed()
  expect(called).toHaveLength(2_000)
  await nextTurn()
  await nextTurn()
  await nextTurn()
  expect(called).toEqual(Array.from({ length: 4_500 }, (_, n) => n))
})

it('Commits calls what waits once its commit is flushed, in the order of commits', () => {
  const store = { flushed: 2 }
  const commits = new Commits(store)
  const called: string[] = []
  commits.after(2, () => called.push('flushed already'))
  commits.after(5, () => called.push('five'))
  commits.after(3, () => {
    called.push('three')
    commits.after(5, () => called.push('five, later'))
  })
  commits.after(3, () => called.push('three too'))
  commits.after(6, () => called.push('six'))
  expect(called.splice(0)).toEqual(['flushed already'])
  store.flushed = 4
  commits.onFlushed()
  expect(called.splice(0)).toEqual(['three', 'three too'])
  store.flushed = 6
  commits.onFlushed()
  commits.onFlushed()
  expect(called).toEqual(['five', 'five, later', 'six'])
})
