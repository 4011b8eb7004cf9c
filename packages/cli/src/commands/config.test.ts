import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-config-'))
afterAll(() => rmSync(home, { recursive: true }))

async function ran(...args: string[]) {
  const terminal = new TestTerminal()
  return { code: await terminal.run('config', ...args), output: terminal.output, errors: terminal.errors }
}

function file(text: string): string {
  const path = join(home, 'godwit.yaml')
  writeFileSync(path, text)
  return path
}

test('check says that a file is right, or what is wrong and where', async () => {
  const path = file('data: memory\n')
  expect(await ran('check', '--config', path)).toEqual({ code: 0, output: `${path} is right\n`, errors: '' })
  file('data: memory\nlimits:\n  maxInflght: 1\n')
  const { code, output, errors } = await ran('check', '--config', path)
  expect([code, output]).toEqual([1, ''])
  expect(errors).toContain(`godwit config: ${path}:3:3: there is no key 'limits.maxInflght'; it takes `)
  expect(errors).toContain(' maxInflight, ')
})

test('print shows what holds and where it comes from', async () => {
  const { output } = await ran('print', '--config', file('data: memory\n'), '--port', '1884')
  expect(output).toContain(`data: memory # ${join(home, 'godwit.yaml')}:1:1\n`)
  expect(output).toContain('port: 1884 # --host and --port\n')
})

test('schema is a JSON Schema', async () => {
  const { output } = await ran('schema')
  expect(JSON.parse(output)).toMatchObject({ title: 'Configuration of godwit broker', type: 'object' })
})

test.each([[[]], [['chek']]])('%j is told what there is', async (args) => {
  expect(await ran(...args)).toEqual({
    code: 1,
    output: '',
    errors: 'godwit config: config takes check, print, schema; see godwit config --help\n',
  })
})
