import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isTopicFilter, isTopicName, matchesFilter, splitShared, topicLevels } from './index.js'

describe('isTopicName', () => {
  test.each(['a', '/', '//', 'a/b', ' ', '$SYS/x', 'é/😺', '\uFEFFa', '$share/g/a', '/'.repeat(65_535)])(
    '%j',
    (topic) => {
      expect(isTopicName(topic)).toBe(true)
    },
  )

  test.each([
    ['', '[MQTT-4.7.3-1]'],
    ['#', '[MQTT-4.7.1-1] of 3.1.1, [MQTT-4.7.0-1] of 5.0'],
    ['a/+', '[MQTT-4.7.1-1]'],
    ['a+b', 'even where it would be no wildcard'],
    ['a\0b', '[MQTT-4.7.3-2]'],
    ['a\ud800', 'a surrogate without its other half [MQTT-1.5.3-1]'],
    ['\udc00\ud800', 'a pair the wrong way round'],
    ['x'.repeat(65_536), '[MQTT-4.7.3-3]'],
    ['é'.repeat(32_768), 'bytes count, not characters [MQTT-4.7.3-3]'],
  ])('not %j: %s', (topic) => {
    expect(isTopicName(topic)).toBe(false)
  })

  test('65,535 bytes in 21,845 characters still fit', () => {
    expect(isTopicName('€'.repeat(21_845))).toBe(true)
    expect(isTopicName('€'.repeat(21_846))).toBe(false)
  })
})

describe('isTopicFilter', () => {
  test.each([
    'a',
    '#',
    '+',
    '/',
    '/#',
    '+/+',
    'a/#',
    'a/+/#',
    '+/b',
    '$SYS/#',
    '$share/g/a',
    '$share/g/#',
    '$share/g//',
    '$share',
  ])('%j', (filter) => {
    expect(isTopicFilter(filter)).toBe(true)
  })

  test.each([
    ['', '[MQTT-4.7.3-1]'],
    ['a#', '[MQTT-4.7.1-2]'],
    ['a/#/b', '[MQTT-4.7.1-2]'],
    ['#/a', '[MQTT-4.7.1-2]'],
    ['##', '[MQTT-4.7.1-2]'],
    ['a+', '[MQTT-4.7.1-3]'],
    ['a/+b/c', '[MQTT-4.7.1-3]'],
    ['++', '[MQTT-4.7.1-3]'],
    ['+#', '[MQTT-4.7.1-3]'],
    ['a/\0', '[MQTT-4.7.3-2]'],
    ['\ud800/#', '[MQTT-1.5.3-1]'],
    ['$share/', '[MQTT-4.8.2-1]'],
    ['$share/g', '[MQTT-4.8.2-2]'],
    ['$share/g/', '[MQTT-4.8.2-2]'],
    ['$share//a', '[MQTT-4.8.2-1]'],
    ['$share/+/a', '[MQTT-4.8.2-2]'],
    ['$share/g#/a', '[MQTT-4.8.2-2]'],
    ['$share/g/a#', '[MQTT-4.7.1-2]'],
    [`${'a/'.repeat(32_768)}`, '[MQTT-4.7.3-3]'],
  ])('not %j: %s', (filter) => {
    expect(isTopicFilter(filter)).toBe(false)
  })
})

describe('matchesFilter', () => {
  test.each([
    // The examples of section 4.7
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['#', 'a/b/c', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/monitor/Clients', false],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false],
    ['$SYS/#', '$SYS/monitor/Clients', true],
    ['$SYS/#', '$SYS', true],
    ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
    ['ACCOUNTS', 'Accounts', false],
    // And more
    ['a', 'a', true],
    ['a', 'ab', false],
    ['ab', 'a', false],
    ['a/b', 'a', false],
    ['a', 'a/b', false],
    ['a/', 'a', false],
    ['a', 'a/', false],
    ['a//b', 'a//b', true],
    ['a/+/b', 'a//b', true],
    ['+/#', 'a', true],
    ['+/#', '$a', false],
    ['a/+/#', 'a', false],
    ['a/+/#', 'a/b', true],
    ['a/$b/#', 'a/$b', true],
    ['+/$b', 'a/$b', true],
    ['#', '/', true],
    ['/#', '/', true],
    ['/#', '', true],
    ['\u00e9', 'e\u0301', false],
  ])('%j and %j: %s [MQTT-4.7.1-2] [MQTT-4.7.2-1] [MQTT-4.7.3-4]', (filter, topic, expected) => {
    expect(matchesFilter(filter, topic)).toBe(expected)
  })

  /** The standard's words as a regular expression. */
  function model(filter: string, topic: string): boolean {
    if (/^[+#]/.test(filter) && topic.startsWith('$')) return false
    const escaped = filter.replace(/[$.*^(){}[\]|?\\]/g, '\\$&')
    const source = escaped.replaceAll('+', '[^/]*').replace(/(^|\/)#$/, (_, slash) => (slash ? '(/.*)?' : '.*'))
    return new RegExp(`^${source}$`, 'su').test(topic)
  }

  const level = fc.constantFrom('a', 'b', '', '$', '.', 'ab')
  const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
    .map(([levels, rest]) => [...levels, ...(rest || levels.length === 0 ? ['#'] : [])].join('/'))

  test('agrees with a regular expression made from the filter', () => {
    fc.assert(
      fc.property(filter, topic, (f, t) => {
        expect(matchesFilter(f, t)).toBe(model(f, t))
      }),
      { numRuns: 5000 },
    )
  })

  test('65,535 slashes against as many are compared in linear time', () => {
    const deep = '/'.repeat(65_535)
    expect(matchesFilter(deep, deep)).toBe(true)
    expect(matchesFilter(`${deep.slice(1)}#`, deep)).toBe(true)
    expect(matchesFilter('+/'.repeat(32_767), deep)).toBe(false)
  })
})

test.each([
  ['a', 1],
  ['a/b', 2],
  ['/', 2],
  ['a//b', 3],
  ['/a/', 3],
])('topicLevels(%j) is %i', (topic, levels) => {
  expect(topicLevels(topic)).toBe(levels)
})

test.each([
  ['$share/g/a', { group: 'g', filter: 'a' }],
  ['$share/g/a/#', { group: 'g', filter: 'a/#' }],
  ['$share/g//a', { group: 'g', filter: '/a' }],
  ['$share/g/a\nb', { group: 'g', filter: 'a\nb' }],
  ['$share/g/$share/h/a', { group: 'g', filter: '$share/h/a' }],
  ['$share/g/', undefined],
  ['$share//a', undefined],
  ['$share/g', undefined],
  ['$SHARE/g/a', undefined],
  ['a/$share/g/a', undefined],
])('splitShared(%j)', (filter, expected) => {
  expect(splitShared(filter)).toEqual(expected)
})
