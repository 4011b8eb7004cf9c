import { expect, it } from 'vitest'
import { PacketSums } from './packet-sums.js'

it('knows what came last under an id', () => {
  const sums = new PacketSums()
  sums.set(1, 7)
  sums.set(65_535, 4_294_967_295)
  sums.set(1, 8)
  expect([sums.of(1), sums.of(2), sums.of(65_535)]).toEqual([8, undefined, 4_294_967_295])
})

it('is made again of the pages that have changed', () => {
  const [sums, again] = [new PacketSums(), new PacketSums()]
  for (const id of [1, 511, 512, 40_000]) for (const [page, bytes] of sums.set(id, id)) again.restore(page, bytes)
  expect([1, 511, 512, 40_000, 2].map((id) => again.of(id))).toEqual([1, 511, 512, 40_000, undefined])
})

it('of ids given out in a row it knows the last half of all, also when they begin anew', () => {
  const sums = new PacketSums()
  const goneAt: number[] = []
  for (let count = 0; count < 100_000; count++) {
    const id = (count % 65_535) + 1
    for (const [page, bytes] of sums.set(id, count + 1)) if (bytes.length === 0) goneAt.push(page)
  }
  const last = 100_000 % 65_535
  expect([sums.of(last), sums.of(last - 32_000), sums.of(last - 34_000), sums.of(last + 1_000)]).toEqual([
    100_000,
    68_000,
    undefined,
    undefined,
  ])
  expect(goneAt.slice(0, 3)).toEqual([0, 1, 2])
})

it('forgets all at once, and says which pages those were', () => {
  const sums = new PacketSums()
  sums.set(3, 1)
  sums.set(600, 1)
  expect(sums.clear().map(([page, bytes]) => [page, bytes.length])).toEqual([
    [0, 0],
    [1, 0],
  ])
  expect([sums.of(3), sums.clear()]).toEqual([undefined, []])
})
