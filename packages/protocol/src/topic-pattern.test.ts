import { describe, expect, expectTypeOf, test } from 'vitest'
import { ProtocolError, type TopicParams, type TopicPattern, topicPattern } from './index.js'

describe('topicPattern', () => {
  test.each([
    ['home/+room/temp', 'home/+/temp', 'home/kitchen/temp', { room: 'kitchen' }],
    ['+a/+b', '+/+', 'x/y', { a: 'x', b: 'y' }],
    ['+/+b', '+/+', 'x/y', { b: 'y' }],
    ['home/#path', 'home/#', 'home/a/b', { path: 'a/b' }],
    ['home/#path', 'home/#', 'home', { path: '' }],
    ['#all', '#', 'a/b', { all: 'a/b' }],
    ['+_x1/#rest', '+/#', 'v/', { _x1: 'v', rest: '' }],
    ['a/b', 'a/b', 'a/b', {}],
    ['a/+/#', 'a/+/#', 'a/b/c', {}],
    ['+level', '+', '', { level: '' }],
    ['$share/g/+room/temp', '$share/g/+/temp', 'kitchen/temp', { room: 'kitchen' }],
    ['$SYS/+key', '$SYS/+', '$SYS/uptime', { key: 'uptime' }],
  ])('%s is sent as %s; in %s it finds %o', (pattern, filter, topic, params) => {
    const made = topicPattern(pattern)
    expect(made.pattern).toBe(pattern)
    expect(made.filter).toBe(filter)
    expect(made.params(topic)).toStrictEqual(params)
  })

  test('a name may be one that objects have already', () => {
    const { params } = topicPattern('+__proto__/+constructor')
    expect(Object.entries(params('a/b'))).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
  })

  test.each([
    '',
    'a/+room-1',
    'a/+1',
    'a/b+room',
    'a/#path/b',
    '+#x',
    '#x/+y',
    '$share//+a',
    '$share/g',
    '+a/+a',
    '+a/#a',
    'a\0',
  ])('refuses %j', (pattern) => {
    expect(() => topicPattern(pattern)).toThrow(ProtocolError)
    expect(() => topicPattern(pattern)).toThrow(
      expect.objectContaining({ code: 'topic-filter-invalid', reasonCode: 0x8f }),
    )
  })
})

describe('types', () => {
  test('the names of the wildcards are the keys of the params', () => {
    const pattern = topicPattern('home/+room/+sensor/#rest')
    expectTypeOf(pattern).toEqualTypeOf<TopicPattern<'home/+room/+sensor/#rest'>>()
    expectTypeOf(pattern.params('')).toEqualTypeOf<{
      readonly room: string
      readonly sensor: string
      readonly rest: string
    }>()
    // @ts-expect-error: there is no such wildcard
    expect(pattern.params('home/a/b').kitchen).toBeUndefined()
  })

  test('wildcards without a name have no key', () => {
    expectTypeOf<keyof TopicParams<'a/+/#'>>().toEqualTypeOf<never>()
    expectTypeOf<keyof TopicParams<'a'>>().toEqualTypeOf<never>()
    expectTypeOf<TopicParams<'$share/g/+room'>>().toEqualTypeOf<{ readonly room: string }>()
  })

  test('a pattern that is only known to be a string gives a record', () => {
    expectTypeOf<TopicParams<string>>().toEqualTypeOf<Readonly<Record<string, string>>>()
  })
})
