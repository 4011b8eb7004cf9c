import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { publication, storeContract } from '../test/store.contract.js'
import type { StoreError } from './errors.js'
import { fileStore } from './file-store.js'
import { fileStore as noFileStore } from './no-file-store.js'
import type { ClientStore, StoredSession } from './state/store.js'

let folder: string
let count = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'godwit-file-store-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => void vi.restoreAllMocks())

const newPath = (): string => join(folder, `${count++}.store`)

/** What a file holds. */
async function contentOf(path: string): Promise<StoredSession> {
  const store = fileStore(path)
  const session = await store.load()
  await store.close()
  return session
}

async function refusal(path: string): Promise<StoreError> {
  return await fileStore(path)
    .load()
    .then(
      () => expect.unreachable(),
      (error: StoreError) => error,
    )
}

/** The methods of all open files, to be watched and made to fail. */
async function fileMethods(): Promise<Record<'datasync' | 'sync', () => Promise<void>>> {
  const file = await open(folder, 'r')
  await file.close()
  return Object.getPrototypeOf(file)
}

async function opened(path = newPath()): Promise<{ path: string; store: ClientStore }> {
  const store = fileStore(path)
  await store.load()
  return { path, store }
}

storeContract('fileStore', () => fileStore(newPath()))

describe('what is flushed', () => {
  test('is in the file, whatever becomes of the process', async () => {
    const { path, store } = await opened()
    store.putOutgoing(publication(1))
    await store.flush()
    const copy = newPath()
    writeFileSync(copy, readFileSync(path))
    expect((await contentOf(copy)).outgoing).toEqual([publication(1)])
    await store.close()
  })

  test('gets there also when nobody asks for it', async () => {
    const { path, store } = await opened()
    const { size } = statSync(path)
    const methods = await fileMethods()
    const { datasync } = methods
    const synced = new Promise<void>((resolve) => {
      vi.spyOn(methods, 'datasync').mockImplementation(async function (this: unknown) {
        await datasync.call(this)
        resolve()
      })
    })
    store.putOutgoing(publication(1))
    await synced
    expect(statSync(path).size).toBeGreaterThan(size)
    await store.close()
  })

  test('is what a store begins with: what an earlier process wrote and did not sync is synced before it counts', async () => {
    const { path, store } = await opened()
    await store.close()
    const sync = vi.spyOn(await fileMethods(), 'sync')
    await contentOf(path)
    expect(sync).toHaveBeenCalledTimes(2) // the file and its folder
  })

  test('shares its sync with all that was gathered, and what comes meanwhile waits for the next', async () => {
    const { store } = await opened()
    const datasync = vi.spyOn(await fileMethods(), 'datasync')
    store.putOutgoing(publication(1))
    store.putOutgoing(publication(2))
    const first = store.flush()
    expect(store.flush()).toBe(first)
    store.putReceived(1)
    const second = store.flush()
    store.putReceived(2)
    expect(store.flush()).toBe(second)
    expect(second).not.toBe(first)
    await Promise.all([first, second])
    expect(datasync).toHaveBeenCalledTimes(2)
    await store.close()
  })

  test('a step of a handshake does not write the message again', async () => {
    const { path, store } = await opened()
    const message = publication(1, { qos: 2, payload: new Uint8Array(10_000) })
    store.putOutgoing(message)
    await store.flush()
    const { size } = statSync(path)
    store.putOutgoing({ ...message, packetId: 1 })
    await store.flush()
    store.putOutgoing({ ...message, packetId: 1, released: 1 })
    await store.flush()
    expect(statSync(path).size).toBeLessThan(size + 100)
    await store.close()
    expect((await contentOf(path)).outgoing).toEqual([{ ...message, packetId: 1, released: 1 }])
  })
})

describe('a torn tail', () => {
  test('at every byte of the last two records gives the state before the torn one, and the file goes on', async () => {
    const { path, store } = await opened()
    store.putOutgoing(publication(1))
    await store.flush()
    const sizes = [statSync(path).size]
    for (const change of [() => store.putOutgoing(publication(2, { qos: 2 })), () => store.putReceived(9)]) {
      change()
      await store.flush()
      sizes.push(statSync(path).size)
    }
    await store.close()
    const bytes = readFileSync(path)
    const [one, two, three] = sizes as [number, number, number]
    for (let length = one; length <= three; length++) {
      const torn = newPath()
      writeFileSync(torn, bytes.subarray(0, length))
      const again = fileStore(torn)
      const { outgoing, received } = await again.load()
      expect([outgoing.length, received.length]).toEqual([length < two ? 1 : 2, length < three ? 0 : 1])
      again.putReceived(10)
      await again.close()
      expect((await contentOf(torn)).received).toEqual(length < three ? [10] : [9, 10])
    }
  })

  test.each([
    ['zeros', new Uint8Array(5000)],
    ['noise', new Uint8Array(5000).map((_, at) => (at * 7919) % 251)],
    ['the beginning of a record that would be long', Uint8Array.of(0xf7, 0x47, 0x57, 0x0a, 0x7f, 0xff, 0xff, 0xff)],
  ])('of %s is cut', async (_, tail) => {
    const { path, store } = await opened()
    store.putOutgoing(publication(1))
    await store.close()
    const { size } = statSync(path)
    appendFileSync(path, tail)
    expect((await contentOf(path)).outgoing).toEqual([publication(1)])
    expect(statSync(path).size).toBe(size)
  })
})

describe('a file that cannot be used is refused in one line and left as it is', () => {
  test.each([
    ['of something else', 'once upon a time\n', 'is not a client store of godwit: choose another path'],
    ['that is empty', '', 'is not a client store of godwit'],
    ['of a newer format', 'godwit client store, format 2\n', 'has format 2, and this version reads 1'],
  ])('one %s', async (_, text, words) => {
    const path = newPath()
    writeFileSync(path, text)
    const error = await refusal(path)
    expect(error).toMatchObject({ name: 'StoreError', code: 'store-unusable', permanent: true, store: path })
    expect(error.message).toContain(`the store ${path} ${words}`)
    expect(error.message).not.toContain('\n')
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(existsSync(`${path}.lock`)).toBe(false)
  })

  test('one with damage that no crash can have done: a whole record follows', async () => {
    const { path, store } = await opened()
    for (const sequence of [1, 2, 3]) {
      store.putOutgoing(publication(sequence))
      await store.flush()
    }
    await store.close()
    const bytes = readFileSync(path)
    bytes[bytes.indexOf('message 2')]! ^= 1
    writeFileSync(path, bytes)
    expect((await refusal(path)).message).toMatch(/is damaged at byte \d+ \(a broken record\): restore it/)
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test('a folder, and a file in a folder that is not there', async () => {
    expect(await refusal(folder)).toMatchObject({ code: 'store-unusable', cause: { code: 'EISDIR' } })
    const lost = await refusal(join(folder, 'no', 'such.store'))
    expect(lost).toMatchObject({ code: 'store-unusable', cause: { code: 'ENOENT' } })
  })

  test('where there are no files at all', () => {
    expect(() => noFileStore('/a')).toThrow('the store /a is a file, and this environment has none: use memoryStore()')
  })
})

describe('the lock', () => {
  test('keeps a second client of this process away until the first has closed', async () => {
    const { path, store } = await opened()
    expect(await refusal(path)).toMatchObject({
      code: 'store-in-use',
      message: `the store ${path} is in use by another client: give each client a file of its own`,
    })
    expect(await store.load().catch((error: StoreError) => error.code)).toBe('store-in-use')
    store.putReceived(1)
    await store.close()
    expect((await contentOf(path)).received).toEqual([1])
  })

  test('of a process that lives is respected, and the process named', async () => {
    const path = newPath()
    const { lock, text } = await lockLine()
    // The parent of this process lives; its start is read like ours.
    const stat = readFileSync(`/proc/${process.ppid}/stat`, 'utf8')
    const startedAt = stat.split(') ').at(-1)!.split(' ')[19]
    writeFileSync(`${path}.lock`, JSON.stringify({ ...lock, pid: process.ppid, startedAt }))
    expect((await refusal(path)).message).toContain(`is in use by process ${process.ppid}`)
    expect(text).toContain(`"pid":${process.pid}`)
  })

  test.each([
    ['of a process that is gone', { pid: 2 ** 22 + 1 }],
    ['of an earlier process with this pid', { startedAt: '1' }],
    ['of another boot', { bootId: 'another' }],
  ])('%s is taken over', async (_, fields) => {
    const path = newPath()
    const { lock } = await lockLine()
    writeFileSync(`${path}.lock`, JSON.stringify({ ...lock, ...fields }))
    const { store } = await opened(path)
    expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8'))).toEqual(lock)
    await store.close()
    expect(existsSync(`${path}.lock`)).toBe(false)
  })

  test('that is being written at this moment is respected', async () => {
    const path = newPath()
    writeFileSync(`${path}.lock`, '')
    expect(await refusal(path)).toMatchObject({ code: 'store-in-use' })
    const aMinuteAgo = Date.now() / 1000 - 60
    utimesSync(`${path}.lock`, aMinuteAgo, aMinuteAgo) // its process died over it
    expect(await contentOf(path)).toEqual({ outgoing: [], received: [] })
  })

  /** What this process writes into a lock. */
  async function lockLine(): Promise<{ lock: object; text: string }> {
    const { path, store } = await opened()
    const text = readFileSync(`${path}.lock`, 'utf8')
    await store.close()
    return { lock: JSON.parse(text), text }
  }
})

describe('compaction', () => {
  test('keeps the file of a session of constant size from growing, and loses nothing', async () => {
    const { path, store } = await opened()
    const message = (sequence: number) => publication(sequence, { payload: new Uint8Array(20_000).fill(sequence) })
    store.putReceived(5)
    let largest = 0
    for (let sequence = 1; sequence <= 300; sequence++) {
      store.putOutgoing(message(sequence))
      store.removeOutgoing(sequence - 10)
      await store.flush()
      largest = Math.max(largest, statSync(path).size)
    }
    expect(largest).toBeLessThan(1_100_000)
    await store.close()
    const last = Array.from({ length: 10 }, (_, at) => message(291 + at))
    expect(await contentOf(path)).toEqual({ outgoing: last, received: [5] })
    expect(existsSync(`${path}.new`)).toBe(false)
  })

  test('without room for a second file the first goes on', async () => {
    const { path, store } = await opened()
    const methods = await fileMethods()
    const sync = vi.spyOn(methods, 'sync').mockRejectedValue(new Error('ENOSPC: no space left on device'))
    for (let sequence = 1; sequence <= 100; sequence++) {
      store.putOutgoing(publication(sequence, { payload: new Uint8Array(20_000) }))
      store.removeOutgoing(sequence - 1)
      await store.flush()
    }
    expect(sync).toHaveBeenCalledTimes(1)
    sync.mockRestore()
    await store.close()
    expect((await contentOf(path)).outgoing.map(({ sequence }) => sequence)).toEqual([100])
  })
})

describe('when the disk fails', () => {
  test('flush() says so, nothing is forgotten, and the next one writes it all anew', async () => {
    const { path, store } = await opened()
    store.putOutgoing(publication(1))
    await store.flush()
    const datasync = vi.spyOn(await fileMethods(), 'datasync').mockRejectedValueOnce(new Error('EIO: i/o error'))
    store.putOutgoing(publication(2))
    const error = await store.flush()?.catch((reason: StoreError) => reason)
    expect(error).toMatchObject({ code: 'store-failed', permanent: false })
    expect(error?.message).toBe(`the store ${path} cannot be written to: EIO: i/o error`)
    const { ino } = statSync(path)
    await store.flush()
    expect(statSync(path).ino).not.toBe(ino) // what a failed sync has left is not to be trusted
    expect(datasync).toHaveBeenCalledTimes(1)
    expect(store.flush()).toBeUndefined()
    await store.close()
    expect((await contentOf(path)).outgoing).toEqual([publication(1), publication(2)])
  })

  test('close() says so and lets go of the file', async () => {
    const { path, store } = await opened()
    vi.spyOn(await fileMethods(), 'datasync').mockRejectedValueOnce(new Error('EIO'))
    store.putOutgoing(publication(1))
    expect(await store.close().catch((error: StoreError) => error.code)).toBe('store-failed')
    expect(existsSync(`${path}.lock`)).toBe(false)
  })
})
