import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VirtualClock } from '@godwit/broker/testing'
import { expect, onTestFinished, test } from 'vitest'
import { formatTokens, parseTokens, TokenFile } from './token-file.js'
import { hashOfToken, newToken } from './tokens.js'

function start() {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-tokens-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'tokens.json')
  const clock = new VirtualClock()
  const log: string[] = []
  const tokens = new TokenFile(path, { log: (level, message) => void log.push(`${level} ${message}`) }, clock)
  const write = (text: string): void => {
    writeFileSync(path, text)
    clock.advance(200)
  }
  return { path, clock, log, tokens, write }
}

const createdAt = '2026-01-01T00:00:00.000Z'
const storedOf = (token: string, expiresAt: string | null = null) =>
  ({ name: 'ann', role: 'operator', sha256: hashOfToken(token), createdAt, expiresAt }) as const

test('a token has 256 random bits, and of it the file holds a hash', () => {
  const [one, other] = [newToken(), newToken()]
  expect(one).toMatch(/^godwit_[\w-]{43}$/)
  expect(one).not.toBe(other)
  expect(formatTokens([storedOf(one)])).not.toContain(one.slice(7))
})

test('tokens come and go with the file', () => {
  const { tokens, write, clock } = start()
  const token = newToken()
  expect(tokens.find(token)).toBeUndefined()
  write(formatTokens([storedOf(token)]))
  expect(tokens.find(token)).toMatchObject({ name: 'ann', role: 'operator' })
  expect(tokens.find('godwit_other')).toBeUndefined()
  const { id } = tokens.find(token)!
  expect(tokens.isGood(id)).toBe(true)
  write(formatTokens([]))
  expect([tokens.isGood(id), tokens.find(token)]).toEqual([false, undefined])
  clock.advance(200)
})

test('a token ends with its expiry', () => {
  const { tokens, write, clock } = start()
  const token = newToken()
  write(formatTokens([storedOf(token, '2026-01-01T00:01:00.000Z')]))
  expect(tokens.find(token)).toBeDefined()
  clock.advance(60_000)
  expect(tokens.find(token)).toBeUndefined()
})

test('a broken file is told once, and changes nothing', () => {
  const { tokens, write, log, path } = start()
  const token = newToken()
  write(formatTokens([storedOf(token)]))
  expect(tokens.find(token)).toBeDefined()
  write('{"tokens": [{"name": "x"}]}')
  expect(tokens.find(token)).toBeDefined()
  expect(tokens.find(token)).toBeDefined()
  expect(log).toEqual([expect.stringMatching(`^error cannot read the tokens of ${path}: tokens.0.role: `)])
})

test.each(['', '[]', '{}', '{"tokens": {}}', '{"tokens": [], "more": 1}', '{"tokens": [{"name": "\\u0000"}]}'])(
  'no tokens: %j',
  (text) => {
    expect(() => parseTokens(text)).toThrow()
  },
)
