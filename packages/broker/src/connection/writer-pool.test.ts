import { expect, it } from 'vitest'
import { WriterPool } from './writer-pool.js'

it('gives out again what was given back, empty', () => {
  const pool = new WriterPool()
  const writer = pool.take()
  writer.u8(1)
  pool.give(writer)
  expect(pool.take()).toBe(writer)
  expect(writer.position).toBe(0)
})

it('keeps a bounded number of bytes', () => {
  const pool = new WriterPool()
  const writers = Array.from({ length: 40 }, () => pool.take())
  for (const writer of writers) {
    writer.ensure(262_144)
    pool.give(writer)
  }
  const kept = writers.filter(() => pool.take().bytes.length === 262_144)
  expect(kept).toHaveLength(32) // 8 MiB
})
