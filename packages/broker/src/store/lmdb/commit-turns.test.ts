import { expect, it } from 'vitest'
import { CommitTurns } from './commit-turns.js'

it('runs one at a time, in order, also after one that fails', async () => {
  const turns = new CommitTurns()
  const told: string[] = []
  let refuse = (): void => {}
  const refused = new Promise<void>((_, reject) => {
    refuse = () => reject(new Error('the disk refuses'))
  })
  const first = turns.take(() => refused)
  const second = turns.take(async () => void told.push('second'))
  const third = turns.take(async () => told.push('third'))
  await new Promise(setImmediate)
  expect(told).toEqual([])
  refuse()
  await expect(first).rejects.toThrow('the disk refuses')
  expect([await second, await third, told]).toEqual([undefined, 2, ['second', 'third']])
})
