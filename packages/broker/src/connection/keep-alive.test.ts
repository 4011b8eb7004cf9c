import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../testing/virtual-clock.js'
import { TimerWheel } from '../time/timer-wheel.js'
import { KeepAlive } from './keep-alive.js'

function setUp() {
  const clock = new VirtualClock()
  const keepAlive = new KeepAlive(clock, new TimerWheel(clock))
  const silences: number[] = []
  const start = (seconds: number) => keepAlive.start(seconds, () => silences.push(clock.monotonic()))
  return { clock, keepAlive, silences, start }
}

describe('KeepAlive', () => {
  it.each([1, 2, 7, 60, 65_535])('notices silence after one and a half times %i s, within a second', (seconds) => {
    const { clock, silences, start } = setUp()
    clock.advance(777)
    start(seconds)
    clock.advance(seconds * 1500 - 1)
    expect(silences).toEqual([])
    clock.advance(1001)
    expect(silences).toHaveLength(1)
    clock.advance(200_000_000)
    expect(silences).toHaveLength(1)
  })

  it('counts from the last packet, not from the last look', () => {
    const { clock, keepAlive, silences, start } = setUp()
    start(2)
    for (let packet = 0; packet < 20; packet++) {
      clock.advance(2900)
      keepAlive.heard()
    }
    expect(silences).toEqual([])
    clock.advance(2999)
    expect(silences).toEqual([])
    clock.advance(1001)
    expect(silences).toHaveLength(1)
  })

  it('waits for ever when Keep Alive is 0, and when stopped', () => {
    const { clock, keepAlive, silences, start } = setUp()
    start(0)
    clock.advance(1e9)
    start(10)
    keepAlive.stop()
    clock.advance(1e9)
    expect(silences).toEqual([])
  })

  it('hears what came while the process was stopped, before it calls anybody silent', () => {
    const { clock, keepAlive, silences, start } = setUp()
    start(2)
    const awake = clock.pause(20_000)
    keepAlive.heard()
    awake()
    clock.advance(2999)
    expect(silences).toEqual([])
    clock.advance(1001)
    expect(silences).toHaveLength(1)
  })

  it('calls silent whom nothing came from', () => {
    const { clock, silences, start } = setUp()
    start(2)
    const awake = clock.pause(20_000)
    expect(silences).toEqual([])
    awake()
    expect(silences).toEqual([20_000])
  })

  it('does not count a stop between the reading and the look', () => {
    const { clock, silences, start } = setUp()
    start(2)
    clock.advance(2900)
    const awake = clock.pause(200) // late, and nobody is due yet
    clock.pause(20_000)
    awake()
    expect(silences).toEqual([])
  })

  it('does not count the time in which nobody listens', () => {
    const { clock, keepAlive, silences, start } = setUp()
    start(2)
    keepAlive.listening = false
    clock.advance(60_000)
    keepAlive.listening = true
    clock.advance(2999)
    expect(silences).toEqual([])
    clock.advance(1001)
    expect(silences).toHaveLength(1)
  })
})
