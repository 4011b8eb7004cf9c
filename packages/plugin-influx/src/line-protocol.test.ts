import { describe, expect, it } from 'vitest'
import { lineOf } from './line-protocol.js'

const point = { measurement: 'm', tags: {}, fields: { value: 1 }, time: 7n }

describe('a point in line protocol', () => {
  it('has tags in order, and each kind of field', () => {
    const fields = { float: 21.5, whole: 3, integer: 42n, text: 'warm', yes: true }
    expect(lineOf({ ...point, tags: { b: '2', a: '1', none: '' }, fields })).toBe(
      'm,a=1,b=2 float=21.5,whole=3,integer=42i,text="warm",yes=true 7',
    )
  })

  it('escapes what has a meaning of its own, and nothing else', () => {
    const fields = { 'f,=ield ': 'say "a\\b", and\nmore' }
    expect(lineOf({ ...point, measurement: 'a, b=c', tags: { 't,= g': 'x,= "y\\z"' }, fields })).toBe(
      'a\\,\\ b=c,t\\,\\=\\ g=x\\,\\=\\ "y\\z" f\\,\\=ield\\ ="say \\"a\\\\b\\", and\nmore" 7',
    )
  })

  it.each([
    [{ measurement: '' }, 'a measurement is empty'],
    [{ measurement: '#note' }, 'a measurement may not begin with #: #note'],
    [{ tags: { t: 'a\nb' } }, 'line protocol cannot say the tag t "a\\nb"'],
    [{ tags: { t: 'end\\' } }, 'line protocol cannot say the tag t "end\\\\"'],
    [{ fields: {} }, 'there is no value in it'],
    [{ fields: { f: Number.NaN } }, 'a field cannot be NaN'],
  ])('cannot be made of %o', (part, problem) => {
    expect(() => lineOf({ ...point, ...part } as never)).toThrow(problem)
  })
})
