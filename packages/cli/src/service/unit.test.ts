import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'
import { serviceUnit, usualService } from './unit.js'

const folder = mkdtempSync(join(tmpdir(), 'godwit-unit-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const packaged = (name: string): string =>
  readFileSync(new URL(`../../../../packaging/systemd/${name}`, import.meta.url), 'utf8')

function line(unit: string, key: string): string | undefined {
  return new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1]
}

describe('the unit', () => {
  test('in packaging/ is that of the usual places', () => {
    const [, ...body] = packaged('godwit.service').split('[Unit]')
    expect(`[Unit]${body.join('[Unit]')}`).toBe(serviceUnit(usualService))
  })

  test('of other places', () => {
    const unit = serviceUnit({
      ...usualService,
      data: '/srv/my data',
      user: 'mqtt',
      command: ['/opt/node', '/opt/100%/g.js'],
    })
    expect(line(unit, 'ExecStart')).toBe(
      '/opt/node /opt/100%%/g.js broker --config /etc/godwit/godwit.yaml --data "/srv/my data"',
    )
    expect(line(unit, 'ReadWritePaths')).toBe('"/srv/my data"')
    expect(line(unit, 'StateDirectory')).toBeUndefined()
    expect(line(unit, 'User')).toBe('mqtt')
    expect(line(unit, 'ProtectHome')).toBe('yes')
  })

  test('of a command in a home folder may read there', () => {
    const unit = serviceUnit({ ...usualService, command: ['/home/ann/.nvm/node', '/home/ann/.nvm/godwit.js'] })
    expect(line(unit, 'ProtectHome')).toBe('read-only')
  })

  const hasSystemd = (() => {
    try {
      execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })()

  test.skipIf(!hasSystemd)('is one that systemd takes (skipped where there is no systemd-analyze)', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'godwit-unit-')), 'godwit.service')
    writeFileSync(
      path,
      serviceUnit({ ...usualService, command: [process.execPath], data: '/srv/my data', user: 'root' }),
    )
    execFileSync('systemd-analyze', ['verify', path], { stdio: 'pipe' })
  })
})

describe('godwit service', () => {
  test('install --dry-run prints files and commands, and changes nothing', async () => {
    const terminal = new TestTerminal()
    expect(
      await terminal.run('service', 'install', '--dry-run', '--user', 'nobody-has-this', '--data', '/var/lib/mq'),
    ).toBe(0)
    expect(terminal.output).toMatch(/^# write: \/etc\/sysusers\.d\/godwit\.conf \(mode 0644\)\nu nobody-has-this /)
    expect(terminal.output).toContain('# write: /etc/systemd/system/godwit.service (mode 0644)\n[Unit]\n')
    expect(terminal.output).toMatch(
      new RegExp(`\nExecStart=${process.execPath} \\S+ broker --config \\S+ --data /var/lib/mq\n`),
    )
    expect(terminal.output).toContain('\nStateDirectory=mq\n')
    expect(terminal.output).toContain('# run: systemctl daemon-reload\n')
  })

  test.each([
    [[], 'service takes install; see godwit service --help'],
    [['instal'], "service takes install, not 'instal'; did you mean install? See godwit service --help"],
    [
      ['install', '--user', 'Ann B'],
      "--user is 'Ann B'; it takes a name of lower-case letters, digits, - and _; see godwit service --help",
    ],
  ])('godwit service %j', async (args, problem) => {
    const terminal = new TestTerminal()
    expect(await terminal.run('service', ...args)).toBe(1)
    expect(terminal.errors).toBe(`godwit service: ${problem}\n`)
  })
})
