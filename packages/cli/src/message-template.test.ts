import { describe, expect, test } from 'vitest'
import { interval, messageTemplate } from './message-template.js'

describe('a template', () => {
  test.each([
    ['plain', /^plain$/],
    ['{"t": {{random 18 25}}}', /^\{"t": (1[89]|2[0-5])\.\d\d\}$/],
    ['{{random -1 1 0}}', /^-?[01]$/],
    ['{{int 1 6}}', /^[1-6]$/],
    ['{{choice a b}}{{choice c}}', /^[ab]c$/],
    ['{{wave 10 20 60}}', /^1\d\.\d\d|20\.00$/],
    ['{{n}} at {{ now }}', /^7 at \d{4}-\d\d-\d\dT/],
    ['{{unix}}', /^\d{10}$/],
    ['{{uuid}}', /^[0-9a-f-]{36}$/],
    ['{ not {{n} a word }', /^\{ not \{\{n\} a word \}$/],
  ])('%s', (text, made) => {
    expect(messageTemplate(text)(7)).toMatch(made)
  })

  test.each([
    ['{{rnd 1 2}}', 'there is no {{rnd}}'],
    ['{{randm 1 2}}', 'did you mean {{random}}?'],
    ['{{random 2 1}}', '{{random 2 1}} is not {{random LEAST MOST [DECIMALS]}}'],
    ['{{n 1}}', '{{n 1}} is not {{n}}'],
    ['{{choice}}', '{{choice}} is not {{choice WORD WORD …}}'],
  ])('%s is refused', (text, problem) => {
    expect(() => messageTemplate(text)).toThrow(problem)
  })
})

test.each([
  ['1s', 1000],
  ['500ms', 500],
  ['2m', 120_000],
  ['0.5', 500],
  ['1h', 3_600_000],
])('an interval: %s is %s ms', (text, ms) => {
  expect(interval(text)).toBe(ms)
})

test.each(['', 's', '0', '1 s', '1d', '-1s'])('%j is no interval', (text) => {
  expect(() => interval(text)).toThrow('it takes a time such as 500ms, 1s, 2m or 1h')
})
