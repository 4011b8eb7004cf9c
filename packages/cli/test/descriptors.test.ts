// `godwit broker` that may open few files: what its own sockets and `godwit reload` do when clients have taken the rest.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'godwit-few-files-'))
const children: ChildProcess[] = []
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const child of children.splice(0)) child.kill('SIGKILL')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.skipIf(process.platform === 'win32')('reload and metrics are answered while clients are turned away', async () => {
  const control = join(folder, 'control.sock')
  const passwords = join(folder, 'passwords')
  const config = join(folder, 'godwit.json')
  writeFileSync(passwords, '')
  writeFileSync(config, JSON.stringify({ auth: { passwordFile: passwords }, listeners: [{ port: 0 }] }))
  const flags = ['broker', '--data', 'memory', '--control', control, '--metrics', '0', '--config', config]
  const broker = spawn('sh', ['-c', 'ulimit -n 192; exec "$@"', 'sh', process.execPath, main, ...flags])
  children.push(broker)
  let errors = ''
  broker.stderr.on('data', (chunk) => (errors += chunk))
  const banner = String((await once(broker.stdout, 'data'))[0])
  const [, port] = /listening on 127\.0\.0\.1:(\d+)/.exec(banner) ?? []
  const [, metrics = ''] = /(http:\S+\/metrics)/.exec(banner) ?? []
  for (let n = 0; n < 220; n++) sockets.push(connect(Number(port), '127.0.0.1').on('error', () => {}))
  const page = async (): Promise<string> => (await fetch(metrics)).text()
  await expect.poll(page).toMatch(/^godwit_connections_refused_total{reason="descriptors"} [1-9]/m)
  expect(await page()).toMatch(/^process_max_fds 192$/m)
  const reload = spawn(process.execPath, [main, 'reload', '--control', control])
  const [said] = await once(reload.stdout, 'data')
  expect(String(said)).toBe('reloaded: password file\n')
  expect(errors).toMatch(/may open only 192 files.*LimitNOFILE=/)
  expect(errors).toMatch(/"connection refused".*"descriptors"/)
})

// Node 22 and newer read one module at a time, and start with so few files that Node itself ends before the broker does.
const readsOneAtATime = Number(process.versions.node.split('.')[0]) >= 22
test.skipIf(process.platform === 'win32' || readsOneAtATime)(
  'a broker that may open too few files to start says so in one line',
  () => {
    const flags = ['broker', '--data', 'memory', '--port', '0']
    const limited = ['-c', 'ulimit -n 40; exec "$@"', 'sh', process.execPath, main, ...flags]
    const { status, stderr } = spawnSync('sh', limited, { encoding: 'utf8', timeout: 10_000 })
    expect(status).toBe(1)
    expect(stderr).toBe(
      'godwit broker: this process may open no more files; raise it with ulimit -n, or LimitNOFILE= in the systemd unit\n',
    )
  },
)
