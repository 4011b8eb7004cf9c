// What browser-bundle.mjs leaves out of a module.
import { expect, test } from 'vitest'
import { deadMembers, parse, propertiesIn, withoutMembers, withoutProperties } from './page-modules.mjs'

const dead = (source: string, ...called: string[]): string[] => [
  ...deadMembers([parse('a.js', source)], new Set(called)),
]

test('a member that only other such members call is dead', () => {
  const source = 'class A { used() {} unused() { this.#deep() } #deep() { this.unused() } get shown() { return 1 } }'
  expect(dead(`${source}; new A().used()`)).toEqual(['A.unused', 'A.#deep', 'A.shown'])
})

test.each([
  ['by a program outside', 'class A { it() {} }', 'it'],
  ['in a pattern', 'class A { get it() { return 1 } }; const { it: own } = new A()'],
  ['by its name in quotes', "class A { it() {} }; new A()['it']()"],
  ['by its class', 'class A { constructor() { this.#it() } #it() {} }'],
])('one that is called %s is not', (_, source, ...called) => {
  expect(dead(source, ...called)).toEqual([])
})

test('without them a module has its lines where they were', () => {
  const source = 'class A {\n  a() {\n    b()\n  }\n  c() {}\n}'
  expect(withoutMembers(parse('a.js', source), new Set(['A.a']))).toBe('class A {\n  \n\n\n  c() {}\n}')
})

test('a property that a page never has is undefined where it is read, and is not set', () => {
  const source =
    'class A { #relay; constructor(relay) { this.#relay = relay } it() { return this.#relay?.ids ?? this.relay() } }'
  expect(withoutProperties(parse('a.js', source), new Set(['#relay', 'relay']))).toBe(
    'class A {  constructor(relay) {  } it() { return undefined?.ids ?? this.relay() } }',
  )
})

test('one that is taken out of an object is refused: it would stay', () => {
  const file = parse('a.js', 'const { relay } = settings')
  expect(() => withoutProperties(file, new Set(['relay']))).toThrow('a.js takes relay out of an object')
})

test('the names of properties are found wherever they stand', () => {
  const source = 'class A { a = 1; b() {} #no }; const { c, d: e } = f.g; ({ h, i: j, k() {} })'
  expect(propertiesIn(parse('a.js', source))).toEqual(['a', 'b', 'c', 'd', 'g', 'h', 'i', 'k'])
})
