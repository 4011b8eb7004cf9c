import { expect, test } from 'vitest'
import { anchorOf, blocksOf, pages, promised } from './markdown-pages.mjs'

test('the words behind a block say how it is checked', () => {
  const stays = blocksOf('README.md').filter(({ words }) => words.includes('stays'))
  expect(stays.map(({ language, text }) => [language, text.split('\n')[0]])).toEqual([['ts', '// embedded.ts']])
})

test('a block inside a list is read without its indent', () => {
  const [first] = blocksOf('docs/home-assistant.md')
  expect(first?.text).toBe('godwit passwd -c passwords homeassistant\n')
})

test('the packages have pages that are looked at too', () => {
  expect(pages).toContain('packages/client/README.md')
})

test('what a program prints stands behind console.log', () => {
  expect(promised("console.log(room, 'x') // kitchen x\nconsole.log(1)\n// console")).toEqual(['kitchen x'])
})

test.each([
  ['5. Get a certificate', '5-get-a-certificate'],
  ['Reason codes of MQTT 5.0', 'reason-codes-of-mqtt-50'],
  ['`$SYS`', 'sys'],
  ["The broker's files", 'the-brokers-files'],
])('%s has one anchor on GitHub and on the site', (heading, anchor) => {
  expect(anchorOf(heading)).toBe(anchor)
})
