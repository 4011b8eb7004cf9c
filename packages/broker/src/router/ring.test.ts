import { expect, test } from 'vitest'
import { Ring } from './ring.js'

test('Ring gives everybody a turn, and whoever will not do waits outside until added again', () => {
  const ring = new Ring<string>()
  const all = (): boolean => true
  expect(ring.take(all)).toBeUndefined()
  for (const one of ['a', 'b', 'c', 'a']) ring.add(one)
  expect([1, 2, 3, 4].map(() => ring.take(all))).toEqual(['a', 'b', 'c', 'a'])
  const asked: string[] = []
  const willDo = (one: string): boolean => asked.push(one) > 0 && one === 'a'
  expect(ring.take(willDo)).toBe('a')
  expect(ring.take(willDo)).toBe('a')
  expect(asked).toEqual(['b', 'c', 'a', 'a']) // nobody is asked twice in vain
  ring.add('b')
  expect([1, 2, 3].map(() => ring.take(all))).toEqual(['a', 'b', 'a'])
  ring.delete('a')
  ring.delete('a')
  expect([ring.take(all), ring.take(() => false), ring.take(all)]).toEqual(['b', undefined, undefined])
})
