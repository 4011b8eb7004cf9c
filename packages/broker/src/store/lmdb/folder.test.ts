import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BrokerError } from '../../errors.js'
import { Deliveries, flushed, messageOf } from '../deliveries.contract.js'
import { lmdbStore } from './index.js'

describe('the data folder', () => {
  let root: string
  let directory: string
  const children: ChildProcess[] = []
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'godwit-folder-'))
    directory = join(root, 'data')
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    rmSync(root, { recursive: true })
  })

  const at = (name: string) => join(directory, name)

  async function fill(): Promise<void> {
    const store = lmdbStore({ directory })
    await store.open()
    const session = new Deliveries(store.session('c'))
    session.stored.connected(3600)
    await flushed(store, session.put(messageOf('kept')))
    await store.close()
  }

  async function fillAnew(): Promise<void> {
    rmSync(directory, { recursive: true })
    await fill()
  }

  async function expectUsable(): Promise<string[]> {
    const lines: string[] = []
    const store = lmdbStore({ directory, log: { log: (level, line) => void lines.push(`${level} ${line}`) } })
    const { queued } = await store.open()
    await store.close()
    expect(queued).toBe(1)
    return lines
  }

  /** Every file below the folder, with a hash of what it holds. */
  function contents(below = directory): Record<string, string> {
    if (!existsSync(below)) return {}
    const found: Record<string, string> = {}
    for (const name of readdirSync(below, { recursive: true, encoding: 'utf8' }).sort()) {
      const file = join(below, name)
      found[name] = !statSync(file).isFile() ? '' : createHash('sha256').update(readFileSync(file)).digest('hex')
    }
    return found
  }

  async function expectRefused(what: RegExp, todo: RegExp): Promise<void> {
    const before = contents()
    const error = await lmdbStore({ directory })
      .open()
      .then(
        () => expect.fail('it opened'),
        (reason: unknown) => reason,
      )
    expect(error).toBeInstanceOf(BrokerError)
    const { code, message } = error as BrokerError
    expect(code).toBe(/ is damaged: /.test(message) ? 'store-damaged' : 'store-failed')
    expect(message).toContain(directory)
    expect(message).toMatch(what)
    expect(message).toMatch(todo)
    expect(message).not.toContain('\n')
    expect(contents()).toEqual(before)
  }

  it('is made when it is not there, and given back on close', async () => {
    await fill()
    expect(readdirSync(directory).sort()).toEqual(['ended-in-order', 'format', 'p0'])
    expect(await expectUsable()).toEqual([])
  })

  it('is refused while another process uses it, and taken over once that is gone', async () => {
    await fill()
    const child = fork('-e', ['setInterval(() => {}, 1000); process.send("up")'], {
      execPath: process.execPath,
      execArgv: [],
    })
    children.push(child)
    await new Promise((resolve) => child.once('message', resolve))
    writeFileSync(at('lock'), lockOf(child.pid!))
    await expectRefused(new RegExp(`in use by process ${child.pid}`), /end that process/)
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    expect(await expectUsable()).toEqual([`warn took over ${directory} from a process that is gone`])
    expect(existsSync(at('lock'))).toBe(false)
  })

  it('is refused while a process uses it that this one cannot see, as in another container', async () => {
    await fill()
    writeFileSync(at('lock'), JSON.stringify({ ...JSON.parse(lockOf(process.pid)), startedAt: '1' }))
    const other = createServer((socket) => socket.destroy()).listen(at('lock.sock'))
    await once(other, 'listening')
    await expectRefused(/in use by a process of another container/, /end that process/)
    await new Promise((closed) => other.close(closed))
    expect(await expectUsable()).toHaveLength(1)
    expect(readdirSync(directory).sort()).toEqual(['ended-in-order', 'format', 'p0'])
  })

  it('answers at its socket as long as it is open, also where the path is too long for one', async () => {
    const deep = join(directory, 'x'.repeat(120))
    const store = lmdbStore({ directory: deep })
    await store.open()
    rmSync(join(deep, 'lock')) // what its holder's pid looks like from another container: nobody
    await expect(lmdbStore({ directory: deep }).open()).rejects.toThrow(/another container/)
    await store.close()
    expect(readdirSync(deep).sort()).toEqual(['ended-in-order', 'format', 'p0'])
  })

  it('is refused to a second store of the same process', async () => {
    const first = lmdbStore({ directory })
    await first.open()
    await expectRefused(new RegExp(`in use by process ${process.pid}`), /end that process/)
    await first.close()
  })

  for (const [what, change] of [
    ['another process has the pid now', { startedAt: '1' }],
    ['the machine was started anew since', { bootId: 'of another boot' }],
  ] as const) {
    it(`is taken over when ${what}`, async () => {
      await fill()
      writeFileSync(at('lock'), JSON.stringify({ ...JSON.parse(lockOf(process.pid)), ...change }))
      expect(await expectUsable()).toEqual([`warn took over ${directory} from a process that is gone`])
    })
  }

  it('is taken over when its lock was cut short by a crash', async () => {
    await fill()
    writeFileSync(at('lock'), '{"pid":')
    expect(await expectUsable()).toHaveLength(1)
  })

  it('is refused when a newer version wrote it, whatever lock lies in it', async () => {
    await fill()
    writeFileSync(at('format'), 'godwit data, format 3\n')
    await expectRefused(/newer version \(format 3, this one reads 2\)/, /run that version/)
    writeFileSync(at('lock'), '{"pid":') // cut short
    await expectRefused(/newer version/, /run that version/)
  })

  it('is refused when it is somebody else’s', async () => {
    mkdirSync(directory)
    writeFileSync(at('format'), 'a fine format of my own')
    await expectRefused(/is not a data folder of godwit/, /choose another folder/)
  })

  it('is refused when it is a file', async () => {
    writeFileSync(directory, 'not a folder')
    await expect(lmdbStore({ directory }).open()).rejects.toThrow(
      /cannot be made or written to .*choose another folder/,
    )
    expect(readFileSync(directory, 'utf8')).toBe('not a folder')
  })

  it('is refused when its data is damaged', async () => {
    await fill()
    const file = openSync(at('p0/data.mdb'), 'r+')
    writeSync(file, Buffer.alloc(8192, 0xa5), 0, 8192, 0)
    await expectRefused(/is damaged: .+ does not begin as it should/, /restore it from a backup/)
  })

  it('is refused when only its second page is damaged, and when it is cut short', async () => {
    await fill()
    const file = openSync(at('p0/data.mdb'), 'r+')
    writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, 4096)
    await expectRefused(/does not begin as it should/, /restore it from a backup/)
    await fillAnew()
    truncateSync(at('p0/data.mdb'), 12_288)
    await expectRefused(/is cut short or written over/, /restore it from a backup/)
    await fillAnew()
    truncateSync(at('p0/data.mdb'), 100)
    await expectRefused(/is damaged/, /restore it from a backup/)
  })

  it('is refused when its data is not what it was', async () => {
    await fill()
    const { size } = statSync(at('p0/data.mdb'))
    const file = openSync(at('p0/data.mdb'), 'r+')
    writeSync(file, Buffer.alloc(size - 8192, 0xa5), 0, size - 8192, 8192)
    await expectRefused(/is cut short or written over/, /restore it from a backup/)
  })

  it('is refused when its data is gone: an empty store must not stand in for it', async () => {
    await fill()
    rmSync(at('p0/data.mdb'))
    await expectRefused(/is missing/, /restore it from a backup/)
  })

  it('is usable after a crash in the middle of making it', async () => {
    mkdirSync(at('p0'), { recursive: true })
    writeFileSync(at('p0/data.mdb'), '')
    const store = lmdbStore({ directory })
    expect((await store.open()).sessions).toEqual([])
    await store.close()
  })

  it.skipIf(process.getuid?.() === 0)(
    'is refused when it cannot be written to (root may write anywhere: skipped)',
    async () => {
      await fill()
      chmodSync(directory, 0o500)
      await expectRefused(/cannot be written to/, /change its owner|choose another/)
      chmodSync(directory, 0o700)
    },
  )
})

/** The lock a process holds, as written by the process itself. */
function lockOf(pid: number): string {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const startedAt = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19]!
  return JSON.stringify({ pid, startedAt, bootId })
}
