import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemdNotify } from './systemd-notify.js'

function machine({ script }: { script: string }) {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-notify-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const program = join(folder, 'systemd-notify')
  writeFileSync(program, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o755)
  const lines: string[] = []
  const log = { log: (level: string, message: string) => void lines.push(`${level} ${message}`) }
  return { folder, lines, log, env: { PATH: folder } }
}

test('systemd is told by its own program', async () => {
  const { folder, lines, log, env } = machine({ script: 'echo "$1 $NOTIFY_SOCKET" > "$PATH/told"' })
  await systemdNotify('READY=1', log, { ...env, NOTIFY_SOCKET: '/run/notify' })
  expect(readFileSync(join(folder, 'told'), 'utf8')).toBe('READY=1 /run/notify\n')
  expect(lines).toEqual([])
})

test('without systemd nothing is run', async () => {
  const { folder, log, env } = machine({ script: 'echo > "$PATH/told"' })
  await systemdNotify('READY=1', log, env)
  expect(() => readFileSync(join(folder, 'told'))).toThrow('ENOENT')
})

test('a failure is told, and does not stop the broker', async () => {
  const { lines, log, env } = machine({ script: 'echo no such socket >&2; exit 1' })
  await systemdNotify('STOPPING=1', log, { ...env, NOTIFY_SOCKET: '/run/notify' })
  expect(lines).toEqual(['warn systemd was not told STOPPING=1; with Type=exec in the unit it need not be'])
})
