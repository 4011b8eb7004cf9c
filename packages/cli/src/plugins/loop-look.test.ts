import { describe, expect, it } from 'vitest'
import { cells, LoopLook } from './loop-look.js'

const calls = [{ plugin: 'rules', call: 'authorize' }]

/** Looks every 250 ms from 0 on; what is told, with when. */
function looks(untilMs: number, meanwhile: (now: number, cell: Int32Array) => void): string[] {
  const cell = new Int32Array(4)
  const loop = new LoopLook()
  const told: string[] = []
  for (let now = 0; now <= untilMs; now += 250) {
    meanwhile(now, cell)
    const blocked = loop.look(now, cell, (number) => calls[number - 1])
    if (blocked) told.push(`${now}: ${blocked.message} ${blocked.forMs}`)
  }
  return told
}

describe('a look at the loop', () => {
  it('sees nothing wrong while it beats', () => {
    expect(looks(20_000, (_, cell) => void cell[cells.beats]!++)).toEqual([])
  })

  it('names the call in which it is blocked, after a second, and ten times as long', () => {
    const blocked = looks(15_000, (now, cell) => {
      if (now < 1_000) cell[cells.beats]!++
      if (now === 1_000) cell[cells.inside] = 1
    })
    expect(blocked).toEqual([
      '1750: plugin rules blocks the broker in authorize 1000',
      '10750: plugin rules blocks the broker in authorize 10000',
    ])
  })

  it('names the last call when it is inside none, as behind an await', () => {
    const blocked = looks(2_000, (_, cell) => {
      cell[cells.last] = 1
    })
    expect(blocked).toEqual(['1000: the broker is blocked; the last call of a plugin was authorize of rules 1000'])
    expect(looks(2_000, () => {})).toEqual(['1000: the broker is blocked; no plugin has been called 1000'])
  })

  it('begins anew when it goes on', () => {
    const blocked = looks(5_000, (now, cell) => {
      if (now % 2_000 === 0) cell[cells.beats]!++
    })
    expect(blocked.map((line) => line.split(':')[0])).toEqual(['1000', '3000', '5000'])
  })

  it('blames nobody when the whole process was stopped', () => {
    const cell = new Int32Array(4)
    const loop = new LoopLook()
    for (const now of [0, 250, 60_000, 60_250]) expect(loop.look(now, cell, () => undefined)).toBeUndefined()
  })
})
