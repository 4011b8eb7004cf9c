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
  expect(errors).toContain(
    `godwit config: ${path}:3:3: there is no key 'limits.maxInflght'; did you mean 'maxInflight'?`,
  )
})

test('check reads the files that are named', async () => {
  const none = join(home, 'none')
  const { code, errors } = await ran('check', file(`data: memory\nauth: { passwordFile: ${none} }\n`))
  const path = join(home, 'godwit.yaml')
  const problem = `auth.passwordFile: cannot read ${none}: no such file or directory; make it: godwit passwd -c ${none} NAME`
  expect([code, errors]).toEqual([1, `godwit config: ${path}:2:9: ${problem}\n`])
  const door = `{ protocol: mqtts, tls: { cert: ${none}, key: ${none} } }`
  expect((await ran('check', file(`listeners: [${door}]\n`))).errors).toContain(
    `${path}:1:13: cannot read tls.cert ${none}: no such file`,
  )
  expect((await ran('check', file(`acl:\n  file: ${none}\n`))).errors).toContain(
    `${path}:2:3: acl.file: cannot read the access rules ${none}: no such file`,
  )
  expect((await ran('check', file('listeners:\n  - port: 1\n  - proxyProtocol: [lb1]\n'))).errors).toContain(
    `${path}:3:5: proxyProtocol.from has lb1; it takes addresses and networks as 10.0.0.0/8`,
  )
  const rules = 'acl:\n  rules:\n    - allow: everything\n      filter: a\n'
  expect((await ran('check', file(rules))).errors).toMatch(/godwit\.yaml:3:7: .*everything/)
  expect((await ran('check', file('listeners: [{ host: 0.0.0.0 }]\n'))).errors).toMatch(
    /nobody is asked for a password/,
  )
})

test('the file may be named without --config, and once', async () => {
  expect((await ran('check', file('data: memory\n'))).code).toBe(0)
  expect((await ran('check', 'a.yaml', '--config', 'b.yaml')).errors).toBe(
    'godwit config: name the file once; see godwit config --help\n',
  )
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

test.each([
  [[], '; see'],
  [['chek'], ", not 'chek'; did you mean check? See"],
  [['--port', '1'], '; see'],
])('%j is told what there is', async (args, told) => {
  expect(await ran(...args)).toEqual({
    code: 1,
    output: '',
    errors: `godwit config: config takes check, print, schema or import${told} godwit config --help\n`,
  })
})
