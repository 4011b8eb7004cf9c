import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { fileStore } from '../src/file-store.js'
import { type ConnectOptions, connect, memoryStore, type RecoveredPublication } from '../src/index.js'
import { type Connected, connected, failure, rig } from './rig.js'
import { settled } from './virtual-clock.js'

let folder: string
let count = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'godwit-client-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => void vi.restoreAllMocks())

const newPath = (): string => join(folder, `${count++}.store`)

interface Stored extends Connected {
  readonly options: Required<Pick<ConnectOptions, 'store'>> & ConnectOptions
  readonly path: string
}

/** A client with a file for a store, whose first connection stands. */
async function stored(path = newPath(), sessionPresent = false): Promise<Stored> {
  const store = fileStore(path)
  const made = await connected({ clean: false, store }, sessionPresent)
  return { ...made, options: { ...made.options, store }, path }
}

/** The client's process is killed; another begins with what is on the disk. */
async function reborn({ path, options }: Stored, sessionPresent: boolean): Promise<Stored> {
  await options.store.flush()
  const left = newPath()
  copyFileSync(path, left)
  return stored(left, sessionPresent)
}

/** Holds back every sync until it is let go. */
async function slowDisk(): Promise<{ letGo: () => void }> {
  const file = await open(folder, 'r')
  await file.close()
  const methods: { datasync(): Promise<void> } = Object.getPrototypeOf(file)
  const { datasync } = methods
  let letGo = (): void => {}
  const gone = new Promise<void>((resolve) => {
    letGo = resolve
  })
  vi.spyOn(methods, 'datasync').mockImplementation(async function (this: unknown) {
    await gone
    await datasync.call(this)
  })
  return { letGo }
}

/** Long enough for a write, if there were one to come. */
async function aWhile(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await settled()
}

describe('nothing leaves before it is on the disk', () => {
  test.each([1, 2] as const)('PUBLISH of QoS %i', async (qos) => {
    const { client, peer } = await stored()
    const { letGo } = await slowDisk()
    const publishing = client.publish('a', 'x', { qos })
    await aWhile()
    await peer.expectNothing()
    letGo()
    await peer.expect('publish', { packetId: 1 })
    void publishing.catch(() => {})
    await client.close({ timeoutMs: 0 })
  })

  test('PUBREL', async () => {
    const { client, peer } = await stored()
    void client.publish('a', 'x', { qos: 2 }).catch(() => {})
    await peer.expect('publish')
    const { letGo } = await slowDisk()
    peer.send({ type: 'pubrec', packetId: 1 })
    await aWhile()
    await peer.expectNothing()
    letGo()
    await peer.expect('pubrel', { packetId: 1 })
    await client.close({ timeoutMs: 0 })
  })

  test.each(['pubrec', 'pubcomp'] as const)('%s', async (type) => {
    const { client, peer } = await stored()
    const subscribing = client.subscribe('a', { qos: 2, onMessage: () => {} })
    await peer.grant()
    await subscribing
    const held = type === 'pubrec' ? await slowDisk() : undefined
    peer.publish('a', 'x', { qos: 2, packetId: 7 })
    if (!held) await peer.expect('pubrec')
    const { letGo } = held ?? (await slowDisk())
    if (!held) peer.send({ type: 'pubrel', packetId: 7 })
    await aWhile()
    await peer.expectNothing()
    letGo()
    await peer.expect(type, { packetId: 7 })
    await client.close({ timeoutMs: 0 })
  })
})

describe('after the process has been killed', () => {
  test('publications go on where they were, in order, and the application hears of their end', async () => {
    const first = await stored()
    for (const [text, qos] of [
      ['a', 2],
      ['b', 1],
      ['c', 2],
    ] as const) {
      void first.client.publish('t', text, { qos }).catch(() => {})
      await first.peer.expect('publish')
    }
    first.peer.send({ type: 'pubrec', packetId: 1 })
    await first.peer.expect('pubrel')
    first.peer.close()
    await settled()
    void first.client.publish('t', 'd', { qos: 1 }).catch(() => {})

    const { client, peer } = await reborn(first, true)
    const ends: RecoveredPublication[] = []
    client.on('recovered', (publication) => ends.push(publication))
    expect(client.queued + client.inflight).toBe(4)
    await peer.expect('pubrel', { packetId: 1 })
    await peer.expect('publish', { packetId: 2, dup: true })
    await peer.expect('publish', { packetId: 3, dup: true })
    await peer.expect('publish', { packetId: 4, dup: false })
    peer.send({ type: 'pubcomp', packetId: 1 }, { type: 'puback', packetId: 2 })
    await settled()
    expect(ends).toEqual([
      { topic: 't', payload: new TextEncoder().encode('a'), qos: 2, retain: false, error: undefined },
      { topic: 't', payload: new TextEncoder().encode('b'), qos: 1, retain: false, error: undefined },
    ])
    const publishing = client.publish('t', 'e', { qos: 1 })
    await peer.expect('publish', { packetId: 5 })
    peer.send({ type: 'puback', packetId: 5 })
    expect(await publishing).toMatchObject({ packetId: 5 })
    await client.close({ timeoutMs: 0 })
    await first.client.close({ timeoutMs: 0 })
  })

  test('a server that has forgotten: QoS 1 goes again, QoS 2 in mid-handshake is told to the first who listens', async () => {
    const first = await stored()
    void first.client.publish('lost/a', 'a', { qos: 2 }).catch(() => {})
    void first.client.publish('again', 'b', { qos: 1, retain: true }).catch(() => {})
    await first.peer.expect('publish')
    const { client, peer } = await reborn(first, false)
    const ends: RecoveredPublication[] = []
    client.on('recovered', (publication) => ends.push(publication))
    expect(ends).toMatchObject([{ topic: 'lost/a', qos: 2, error: { code: 'session-lost', topic: 'lost/a' } }])
    const again: RecoveredPublication[] = []
    client.on('recovered', (publication) => again.push(publication))
    expect(again).toEqual([])
    const { packetId } = await peer.expect('publish', { topic: 'again', dup: false, retain: true })
    peer.send({ type: 'puback', packetId: packetId! })
    await settled()
    expect(again).toMatchObject([{ topic: 'again', error: undefined }])
    await client.close({ timeoutMs: 0 })
    await first.client.close({ timeoutMs: 0 })
  })

  test('a QoS 2 message that was received is not given to the program again', async () => {
    const first = await stored()
    const onMessage = (): void => {}
    const subscribing = first.client.subscribe('a', { qos: 2, onMessage })
    await first.peer.grant()
    await subscribing
    first.peer.publish('a', 'x', { qos: 2, packetId: 5 })
    await first.peer.expect('pubrec')
    const { client, peer } = await reborn(first, true)
    const seen: string[] = []
    const again = client.subscribe('a', { qos: 2, onMessage: (message) => void seen.push(message.text()) })
    await peer.grant()
    await again
    peer.publish('a', 'x', { qos: 2, packetId: 5, dup: true })
    await peer.expect('pubrec', { packetId: 5 })
    peer.send({ type: 'pubrel', packetId: 5 })
    await peer.expect('pubcomp', { packetId: 5 })
    peer.publish('a', 'y', { qos: 2, packetId: 5 })
    await peer.expect('pubrec', { packetId: 5 })
    expect(seen).toEqual(['y'])
    await client.close({ timeoutMs: 0 })
    await first.client.close({ timeoutMs: 0 })
  })
})

test("what close() leaves unfinished is the next client's, though its promise rejects", async () => {
  const { options, server, clock } = rig({ clean: false, store: fileStore(newPath()), background: true })
  const offline = await connect('mqtt://broker', options)
  await server.accept()
  const publishing = failure(offline.publish('a', 'x', { qos: 1 }))
  await offline.close()
  expect(await publishing).toMatchObject({ code: 'client-closed' })
  const client = await connect('mqtt://broker', options)
  const peer = await server.accept()
  await peer.welcome({ sessionPresent: true })
  await peer.expect('publish', { topic: 'a', dup: false })
  await client.close({ timeoutMs: 0 })
  expect(clock.pending).toBe(0)
})

describe('a store that does not work', () => {
  test('is said before anything is sent, and an aborted connect() lets go of it', async () => {
    const first = await stored()
    const { options, server } = rig({ clean: false, store: fileStore(first.path) })
    for (const background of [false, true]) {
      const error = await failure(connect('mqtt://broker', { ...options, background }))
      expect(error).toMatchObject({ name: 'StoreError', code: 'store-in-use', permanent: true, store: first.path })
    }
    expect(server.count).toBe(0)
    await first.client.close({ timeoutMs: 0 })
    const aborted = failure(connect('mqtt://broker', { ...options, signal: AbortSignal.abort() }))
    expect(await aborted).toMatchObject({ code: 'aborted' })
    const { client } = await stored(first.path)
    await client.close({ timeoutMs: 0 })
  })

  test('ends the connection; the message leaves when the store works again', async () => {
    const { client, clock, server, options, peer } = await stored()
    const lost = new Promise((resolve) => client.on('disconnect', resolve))
    const flush = vi.spyOn(options.store, 'flush').mockImplementation(() => Promise.reject(new Error('disk full')))
    const publishing = client.publish('a', 'x', { qos: 1 })
    expect(await lost).toMatchObject({
      error: { code: 'store-failed', message: 'the store of this client failed: Error: disk full' },
      retryInMs: 500,
    })
    expect(await peer.rest()).toEqual([])
    flush.mockRestore()
    await clock.pass(500)
    const next = await server.accept()
    await next.welcome({ sessionPresent: true })
    await next.expect('publish', { dup: true })
    next.send({ type: 'puback', packetId: 1 })
    expect(await publishing).toMatchObject({ packetId: 1 })
    await client.close({ timeoutMs: 0 })
  })

  test('at the end is the error of the close event', async () => {
    const store = { ...memoryStore(), close: () => Promise.reject(new Error('disk full')) }
    const { client } = await connected({ store })
    const ended = new Promise((resolve) => client.on('close', resolve))
    await client.close({ timeoutMs: 0 })
    expect(await ended).toMatchObject({ error: { code: 'store-failed' } })
    expect(client.state).toBe('closed')
  })
})
