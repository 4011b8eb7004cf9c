import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { TestTerminal } from '../test/test-terminal.js'
import { logOf } from './log.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-log-'))
afterAll(() => rmSync(home, { recursive: true }))

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(home, 'logs-'))
  file = join(folder, 'godwit.log')
})

const messagesIn = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { message: string }).message)

function opened(settings: { readonly file?: string; readonly stderr?: boolean } = {}) {
  const terminal = new TestTerminal()
  return { terminal, log: logOf({ level: 'info', format: 'auto', file, ...settings }, terminal) }
}

describe('a log file', () => {
  test('takes the lines instead of stderr, behind those that are there, and only its user and group may read it', async () => {
    const { terminal, log } = opened()
    log.log('info', 'one')
    log.log('debug', 'not this')
    await log.close()
    expect(statSync(file).mode & 0o777).toBe(0o640)
    const again = opened()
    again.log.log('warn', 'two')
    await again.log.close()
    expect([messagesIn(file), terminal.errors]).toEqual([['one', 'two'], ''])
  })

  test('with `stderr: true` both have them', async () => {
    const { terminal, log } = opened({ stderr: true })
    log.log('info', 'one')
    await log.close()
    expect([messagesIn(file), terminal.errors]).toEqual([['one'], expect.stringContaining('"message":"one"')])
  })

  test('that has been renamed goes on under its name when it is opened anew, and no line is lost between', async () => {
    const { log } = opened()
    log.log('info', 'before')
    renameSync(file, `${file}.1`)
    log.log('info', 'meanwhile')
    log.reopen()
    log.log('info', 'after')
    await log.close()
    expect([messagesIn(`${file}.1`), messagesIn(file)]).toEqual([['before', 'meanwhile'], ['after']])
  })

  test('that cannot be opened anew goes on as it is, and stderr is told', async () => {
    const { terminal, log } = opened()
    renameSync(file, `${file}.1`)
    mkdirSync(file)
    log.reopen()
    log.log('info', 'still')
    await log.close()
    expect(messagesIn(`${file}.1`)).toEqual(['still'])
    expect(terminal.errors).toMatch(/cannot open the log anew: it is a folder; it goes on in the old file\n$/)
  })

  test('that cannot be written is refused at the start, with what to do', () => {
    expect(() => opened({ file: join(folder, 'none', 'x.log') })).toThrow(
      /^cannot write the log .*none\/x\.log: no such file or folder; name another log\.file$/,
    )
  })

  test('on a full disk is told once, and counted', async () => {
    const { terminal, log } = opened({ file: '/dev/full' })
    log.log('info', 'one')
    await terminal.printed(/cannot write the log: no space left; lines are lost/)
    log.log('info', 'two')
    await log.close()
    expect(terminal.errors.match(/cannot write/g)).toHaveLength(1)
  })
})

test('a broker opens it anew at SIGHUP, also when the rest of the reload fails', async () => {
  const terminal = new TestTerminal()
  const acl = join(folder, 'acl')
  const config = join(folder, 'godwit.yaml')
  writeFileSync(acl, 'topic read #\n')
  writeFileSync(
    config,
    `data: memory\nlisteners: [{ port: 0 }]\nacl: { file: ${acl} }\nlog: { file: ${file} }\nlimits: { maxConnections: 100 }\n`,
  )
  const ended = terminal.run('broker', '--config', config, '--control', join(folder, 'c.sock'))
  await terminal.printed(/an acknowledgement/)
  renameSync(file, `${file}.1`)
  writeFileSync(acl, 'nonsense\n')
  const reloading = new TestTerminal()
  expect(await reloading.run('reload', '--control', join(folder, 'c.sock'))).toBe(1)
  renameSync(file, `${file}.2`)
  terminal.hangUp()
  terminal.interrupt()
  expect(await ended).toBe(0)
  expect(messagesIn(`${file}.1`)[0]).toBe('started')
  expect(messagesIn(`${file}.2`)).toContain('not reloaded')
  expect(messagesIn(file)).toContain('stopping')
  expect(terminal.errors).toBe('')
})

test('--log-file names it, and `config check` says where it could not be', async () => {
  const checking = new TestTerminal()
  expect(await checking.run('config', 'check', '--log-file', join(folder, 'none', 'x.log'))).toBe(1)
  expect(checking.errors).toMatch(/^godwit config: cannot write the log .*: no such file or folder; name another log/)
})
