import { describe, expect, test } from 'vitest'
import { bytesOf, collect, oneOf, qos, seconds, size, topicFilter, topicName, wholeNumber } from './argument-values.js'

describe('sizes', () => {
  test.each([
    ['1', 1],
    ['1048576', 1_048_576],
    ['64KB', 64_000],
    ['64kb', 64_000],
    ['64KiB', 65_536],
    ['512MiB', 536_870_912],
    ['512 MiB', 536_870_912],
    ['1GiB', 1_073_741_824],
    ['1.5GiB', 1_610_612_736],
    ['2TB', 2_000_000_000_000],
    ['7B', 7],
  ])('%s is %d bytes', (text, bytes) => {
    expect(size(text)).toBe(bytes)
  })

  test.each(['', '0', '0MiB', '-1', '1e6', 'MiB', '5 apples', '0x10', '99999999TiB', '1,5GiB'])(
    '%o is refused',
    (text) => {
      expect(() => size(text)).toThrow('it takes a size above 0, such as 1048576, 64KB or 512MiB.')
    },
  )

  test('zero is a size where zero means something', () => {
    expect(bytesOf('0')).toBe(0)
  })
})

describe('whole numbers', () => {
  const port = wholeNumber(1, 65_535)

  test.each([
    ['1', 1],
    ['65535', 65_535],
    ['0080', 80],
  ])('%s', (text, value) => {
    expect(port(text)).toBe(value)
  })

  test.each(['', '0', '65536', '-1', '1.5', '1e3', '0x1', ' 1', '١'])('%o is refused', (text) => {
    expect(() => port(text)).toThrow('it takes a whole number from 1 to 65535.')
  })

  test('without a ceiling', () => {
    expect(wholeNumber(1)('10000000')).toBe(10_000_000)
    expect(() => wholeNumber(1)('0')).toThrow('it takes a whole number of 1 or more.')
    expect(() => wholeNumber(1)('99999999999999999999')).toThrow('a whole number')
  })
})

test.each([
  ['2', 2],
  ['0.5', 0.5],
  ['.5', 0.5],
  ['3.', 3],
])('%s seconds', (text, value) => {
  expect(seconds(text)).toBe(value)
})

test.each(['', '.', '-1', '1s', 'Infinity', '9999999'])('%o are no seconds', (text) => {
  expect(() => seconds(text)).toThrow('it takes seconds, such as 2 or 0.5.')
})

test.each(['3', '-1', '', '01', 'two'])('%o is no QoS', (text) => {
  expect(() => qos(text)).toThrow('it takes 0, 1 or 2.')
})

test('topic names have no wildcards, topic filters have them in their places', () => {
  expect(topicName('a/b')).toBe('a/b')
  expect(() => topicName('a/+')).toThrow('it takes a topic name')
  expect(() => topicName('')).toThrow('it takes a topic name')
  expect(topicFilter('a/+/#')).toBe('a/+/#')
  expect(() => topicFilter('a/#/b')).toThrow('it takes a topic filter')
  expect(() => topicFilter('home/+room')).toThrow('it takes a topic filter')
})

test('one of several words', () => {
  const level = oneOf(['info', 'warn'])
  expect(level('warn')).toBe('warn')
  expect(() => level('loud')).toThrow('it takes info, warn.')
})

test('an option that is repeated keeps all its values', () => {
  const add = collect(topicFilter)
  expect(add('b', add('a', undefined))).toEqual(['a', 'b'])
})
