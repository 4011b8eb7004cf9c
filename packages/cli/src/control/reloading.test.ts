import { describe, expect, test } from 'vitest'
import { defaultLayer } from '../config/layers.js'
import { type Resolved, resolve } from '../config/resolve.js'
import { defaults } from '../config/schema.js'
import { type Prepared, Reloading } from './reloading.js'

/** A configuration in which this differs from the defaults. */
const configured = (changed: object = {}): Resolved => resolve([defaultLayer({ ...defaults, ...changed })])

/** A reload of these parts, each told by what it does, as `one: commit`. */
function reloading({
  parts,
  next = configured(),
}: {
  parts: Readonly<Record<string, Partial<Prepared> | Error>>
  next?: Resolved
}) {
  const told: string[] = []
  const logged: string[] = []
  const all = new Reloading({
    started: configured(),
    read: () => next,
    check: () => {},
    parts: Object.entries(parts).map(([name, part]) => ({
      prepare: async () => {
        told.push(`${name}: prepare`)
        if (part instanceof Error) throw part
        return {
          reloaded: [name],
          commit: () => void told.push(`${name}: commit`),
          abandon: () => void told.push(`${name}: abandon`),
          ...part,
        }
      },
    })),
    log: {
      log: (level, message, fields = {}) => void logged.push([level, message, ...Object.values(fields)].join(': ')),
    },
  })
  return { told, logged, reload: () => all.reload() }
}

describe('a reload', () => {
  test('looks at all parts before any of them takes up its own', async () => {
    const { told, logged, reload } = reloading({ parts: { one: {}, two: {} } })
    expect(await reload()).toEqual({ ok: true, reloaded: ['one', 'two'], needsRestart: [] })
    expect(told).toEqual(['one: prepare', 'two: prepare', 'one: commit', 'two: commit'])
    expect(logged).toEqual(['info: reloaded: one, two'])
  })

  test('takes up nothing where one part cannot', async () => {
    const { told, logged, reload } = reloading({ parts: { one: {}, two: {}, three: new Error('no'), four: {} } })
    await expect(reload()).rejects.toThrow('no')
    expect(told).toEqual(['one: prepare', 'two: prepare', 'three: prepare', 'two: abandon', 'one: abandon'])
    expect(logged).toEqual(['error: not reloaded: no'])
  })

  test('changes all parts in one turn, and answers when they have done what is beside it', async () => {
    let end = (): void => {}
    const ended = new Promise<void>((done) => {
      end = done
    })
    let isAnswered = false
    const { told, reload } = reloading({
      parts: { one: { commit: () => ended.then(() => void told.push('one: old has ended')) }, two: {} },
    })
    const answer = reload().then(() => {
      isAnswered = true
    })
    while (!told.includes('two: commit')) await Promise.resolve()
    expect(isAnswered).toBe(false)
    end()
    await answer
    expect(told.slice(2)).toEqual(['two: commit', 'one: old has ended'])
  })

  test('goes on where a part fails that must not, and tells it', async () => {
    const failing = (): never => {
      throw new Error('oh')
    }
    const { told, logged, reload } = reloading({ parts: { one: { commit: failing }, two: {} } })
    expect(await reload()).toMatchObject({ ok: true })
    expect(told).toContain('two: commit')
    expect(logged).toContain('error: taking up the configuration failed in part: oh')
  })

  test('names what needs a restart: settings that nobody takes up, and what a part cannot', async () => {
    const { logged, reload } = reloading({
      parts: { one: { needsRestart: ['listeners[0]'] } },
      next: configured({ data: '/elsewhere' }),
    })
    expect(await reload()).toMatchObject({ needsRestart: ['data', 'listeners[0]'] })
    expect(logged).toContain('warn: data has changed: needs a restart')
  })

  test('waits for the one before it', async () => {
    const { told, reload } = reloading({ parts: { one: {} } })
    await Promise.all([reload(), reload()])
    expect(told).toEqual(['one: prepare', 'one: commit', 'one: prepare', 'one: commit'])
  })
})
