import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Faults } from '../faults.js'
import { VirtualClock } from '../testing/virtual-clock.js'
import { TimerWheel } from './timer-wheel.js'

function setUp() {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const fired: string[] = []
  const after = (ms: number, name: string) => wheel.after(ms, () => fired.push(`${name} at ${clock.monotonic()}`))
  return { clock, wheel, fired, after }
}

describe('TimerWheel', () => {
  it('runs a callback within one second after it is due, never before', () => {
    const { clock, fired, after } = setUp()
    clock.advance(300)
    after(0, 'at once')
    after(1500, 'later')
    clock.advance(10_000)
    expect(fired).toEqual(['at once at 1000', 'later at 2000'])
  })

  it('is never early and at most a second late, whenever it is set', () => {
    const { clock, wheel } = setUp()
    for (let at = 0; at < 200; at++) {
      const ms = (at * 373) % 5000
      const set = clock.monotonic()
      wheel.after(ms, () => {
        const late = clock.monotonic() - (set + ms)
        expect(late).toBeGreaterThanOrEqual(0)
        expect(late).toBeLessThanOrEqual(1000)
      })
      clock.advance(137)
    }
    expect.assertions(400)
    clock.advance(10_000)
  })

  it('runs nothing that was cancelled, not even by another timer of the same tick', () => {
    const { clock, wheel, fired, after } = setUp()
    wheel.after(1000, () => victim.cancel())
    const victim = after(1000, 'victim')
    const other = after(1000, 'other')
    after(2000, 'kept')
    other.cancel()
    other.cancel()
    clock.advance(5000)
    expect(fired).toEqual(['kept at 2000'])
    victim.cancel() // long over: nothing happens
  })

  it('lets a callback set the next timer', () => {
    const { clock, wheel, fired, after } = setUp()
    wheel.after(1000, () => void after(1000, 'second'))
    clock.advance(1000)
    clock.advance(1000)
    expect(fired).toEqual(['second at 2000'])
  })

  it('takes up its work after hours without a timer', () => {
    const { clock, fired, after } = setUp()
    after(1000, 'a')
    clock.advance(1000)
    clock.advance(7_200_000)
    after(1000, 'b')
    clock.advance(999)
    expect(fired).toEqual(['a at 1000'])
    clock.advance(1001)
    expect(fired).toEqual(['a at 1000', 'b at 7202000'])
  })

  it('takes durations past what a timer of Node can hold', () => {
    const { clock, fired, after } = setUp()
    const thirtyDaysMs = 30 * 86_400_000
    expect(thirtyDaysMs).toBeGreaterThan(2 ** 31)
    after(thirtyDaysMs, 'expiry')
    clock.advance(thirtyDaysMs - 1)
    expect(fired).toEqual([])
    clock.advance(1)
    expect(fired).toEqual([`expiry at ${thirtyDaysMs}`])
  })

  it('catches up when ticks come late, in order', () => {
    const { wheel, fired } = setUp()
    const clock = new LateClock()
    const late = new TimerWheel(clock)
    late.after(3000, () => fired.push('c'))
    late.after(1000, () => fired.push('a'))
    late.after(2000, () => fired.push('b'))
    clock.wakeAt(3000)
    expect(fired).toEqual(['a', 'b', 'c'])
    wheel.close()
  })

  it('runs nothing after a pause before the sockets have been read, and only what was due by then', () => {
    const { clock, wheel, fired, after } = setUp()
    after(2000, 'during the pause')
    after(22_000, 'during the reading')
    const awake = clock.pause(20_000)
    clock.advance(3000) // the reading takes a time of its own
    expect(fired).toEqual([])
    awake()
    expect(fired).toEqual(['during the pause at 23000'])
    expect(wheel.readUpTo).toBe(20_000)
    clock.advance(1000)
    expect(fired.slice(1)).toEqual(['during the reading at 24000'])
  })

  it('tells for how long the process did not run', () => {
    const { clock, wheel, after } = setUp()
    after(100_000, 'something')
    clock.advance(10_000)
    expect(wheel.pausedMs).toBe(0)
    clock.pause(20_000)()
    expect(wheel.pausedMs).toBe(19_000) // a second of it nothing was due
    clock.advance(10_000)
    expect(wheel.pausedMs).toBe(19_000)
  })

  it('takes one pause for no more than two seconds late, however long it was, and a second one for what it is', () => {
    const { clock, wheel, after } = setUp()
    after(1_000_000, 'something')
    clock.pause(20_000)()
    expect(wheel.lateMs).toBe(800)
    clock.pause(20_000)()
    expect(wheel.lateMs).toBeGreaterThan(7000)
  })

  it('runs very many that are due at once over several turns, each once, and none that was cancelled meanwhile', async () => {
    const { clock, wheel } = setUp()
    let run = 0
    const timers = Array.from({ length: 2_500 }, () => wheel.after(1000, () => void run++))
    wheel.after(2000, () => void run++)
    clock.advance(1000)
    expect(run).toBe(1_000)
    timers.at(-1)!.cancel()
    wheel.after(0, () => void run++)
    clock.advance(1000)
    await nextTurn()
    await nextTurn()
    await nextTurn()
    expect(run).toBe(2_499 + 2)
  })

  it('tells of one that throws, ends whom it was for, and runs the others', () => {
    const clock = new VirtualClock()
    const count = { internalErrors: 0 }
    const wheel = new TimerWheel(clock, new Faults(count))
    const ran: string[] = []
    const fail = (): never => {
      throw new Error('boom')
    }
    wheel.after(1000, () => ran.push('a'))
    wheel.after(1000, fail, { clientId: 'c', onFault: () => ran.push('c ends') })
    wheel.after(1000, fail)
    wheel.after(1000, () => ran.push('b'))
    clock.advance(1000)
    expect([ran, count.internalErrors]).toEqual([['a', 'c ends', 'b'], 2])
  })

  it('forgets everything when closed', () => {
    const { clock, wheel, fired, after } = setUp()
    after(1000, 'a')
    wheel.close()
    clock.advance(5000)
    expect(fired).toEqual([])
  })
})

/** A clock whose timeout comes as late as the test wants. */
class LateClock extends VirtualClock {
  #callback: () => void = () => {}
  #time = 0

  override monotonic(): number {
    return this.#time
  }

  override timeout(_ms: number, callback: () => void): () => void {
    this.#callback = callback
    return () => {}
  }

  wakeAt(time: number): void {
    this.#time = time
    this.#callback()
  }
}
