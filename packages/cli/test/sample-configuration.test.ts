import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { defaultLayer, fileLayer } from '../src/config/layers.js'
import { resolve } from '../src/config/resolve.js'
import { defaults } from '../src/config/schema.js'
import { TestTerminal } from './test-terminal.js'

const sample = fileURLToPath(new URL('../../../packaging/godwit.yaml', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'godwit-sample-'))
afterAll(() => rmSync(home, { recursive: true }))

async function checked(file: string) {
  const terminal = new TestTerminal()
  return { code: await terminal.run('config', 'check', '--config', file), errors: terminal.errors }
}

test('the sample is right as it stands', async () => {
  expect(await checked(sample)).toEqual({ code: 0, errors: '' })
})

test('so is what its comments show', async () => {
  const text = readFileSync(sample, 'utf8')
  const shown = text
    .slice(text.indexOf('\nlisteners:'))
    .replace(/^( *)# (?=[ #-]*[a-zA-Z0-9]+:)/gm, '$1')
    .replace(/^( *)# (?=[ #-]*[a-zA-Z0-9]+:)/gm, '$1') // comments within what was one
    .replace(/^ +rules:\n(.*\n){2}/m, '') // one of file and rules
  const file = join(home, 'shown.yaml')
  writeFileSync(file, shown)
  expect(shown.match(/^ *[a-zA-Z0-9-]+.*: /gm)?.length).toBeGreaterThan(40)
  expect(shown).toContain('requestCert: true')
  // The files it names are not there, so only its form can be looked at.
  expect(() => resolve([defaultLayer(defaults), fileLayer(file)])).not.toThrow()
})
