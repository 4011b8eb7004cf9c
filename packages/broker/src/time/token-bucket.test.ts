import { describe, expect, it } from 'vitest'
import { TokenBucket } from './token-bucket.js'

describe('TokenBucket', () => {
  it('gives what it holds, then one at a time as they come in', () => {
    const bucket = new TokenBucket({ perSecond: 10, most: 3 }, 0)
    expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, true, false])
    expect(bucket.take(99)).toBe(false)
    expect(bucket.take(100)).toBe(true)
    expect(bucket.take(100)).toBe(false)
  })

  it('holds no more than it may, however long nobody came', () => {
    const bucket = new TokenBucket({ perSecond: 10, most: 3 }, 0)
    for (let n = 0; n < 3; n++) bucket.take(0)
    expect(bucket.isFull(299)).toBe(false)
    expect(bucket.isFull(3_600_000)).toBe(true)
    for (let n = 0; n < 3; n++) expect(bucket.take(3_600_000)).toBe(true)
    expect(bucket.take(3_600_000)).toBe(false)
  })

  it('says how long what was spent beyond it takes to come in', () => {
    const bucket = new TokenBucket({ perSecond: 10, most: 10 }, 0)
    expect(bucket.spend(10)).toBe(true)
    expect(bucket.spend(5)).toBe(false)
    expect(bucket.debtMs(0)).toBe(500)
    expect(bucket.debtMs(300)).toBe(200)
    expect(bucket.debtMs(500)).toBe(0)
    expect(bucket.spend(1)).toBe(false)
    expect(bucket.debtMs(500)).toBe(100)
  })

  it('looks at the clock when it seems empty: what came in meanwhile counts', () => {
    const bucket = new TokenBucket({ perSecond: 10, most: 10 }, 0)
    expect(bucket.spend(10)).toBe(true)
    expect(bucket.spend(5)).toBe(false)
    expect(bucket.debtMs(1000)).toBe(0)
    expect(bucket.spend(5)).toBe(true)
  })

  it('keeps the rate over time', () => {
    const bucket = new TokenBucket({ perSecond: 1000, most: 1000 }, 0)
    let spent = 0
    let now = 0
    while (now < 60_000) {
      const enough = bucket.spend(137)
      spent += 137
      now += enough ? 0 : bucket.debtMs(now)
    }
    expect(spent).toBeGreaterThan(60_000)
    expect(spent).toBeLessThan(61_500)
  })
})
