// What a server sends again though this side has finished with it, as mosquitto does after a restart, and what a crash leaves of that.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lmdbStore } from '@godwit/broker/store/lmdb'
import type { OpenStream } from '@godwit/client'
import { ScriptedPeer } from '@godwit/protocol/testing'
import { afterAll, expect, test } from 'vitest'
import { type Bridge, bridge } from '../src/index.js'
import { type Side, side } from './rig.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-repeats-'))
afterAll(() => rmSync(home, { recursive: true }))
let folders = 0

/** A server that says what the test tells it to. */
class Remote {
  readonly #peers: ScriptedPeer[] = []
  #came: () => void = () => {}
  #cut: () => void = () => {}

  readonly openStream: OpenStream = (_, events) => {
    const peer = new ScriptedPeer((bytes) => queueMicrotask(() => events.onData(bytes)))
    const end = (): void => queueMicrotask(() => events.onClose(undefined))
    this.#cut = end
    queueMicrotask(() => {
      events.onOpen()
      this.#peers.push(peer)
      this.#came()
    })
    const write = (bytes: Uint8Array): true => {
      peer.hear(bytes.slice())
      return true
    }
    return { write, end, destroy: end, pause: () => {}, resume: () => {} }
  }

  /** It has been away, and takes the bridge's next CONNECT. */
  async again(sessionPresent = true): Promise<ScriptedPeer> {
    this.#cut()
    return this.first(sessionPresent, !sessionPresent)
  }

  /** @param asks the bridge subscribes. */
  async first(sessionPresent = false, asks = true): Promise<ScriptedPeer> {
    while (this.#peers.length === 0) {
      await new Promise<void>((resolve) => {
        this.#came = resolve
      })
    }
    return welcome(this.#peers.shift()!, sessionPresent, asks)
  }
}

async function welcome(peer: ScriptedPeer, sessionPresent: boolean, asks: boolean): Promise<ScriptedPeer> {
  await peer.expect('connect')
  peer.send({ type: 'connack', sessionPresent, reasonCode: 0 })
  if (!asks) return peer
  const { packetId } = await peer.expect('subscribe')
  peer.send({ type: 'suback', packetId, reasonCodes: [2] })
  return peer
}

/** A broker on disk that a reader's session keeps all for, with a bridge to a server. */
class Stage {
  readonly remote = new Remote()
  readonly #directory: string
  near!: Side
  #bridge!: Bridge

  constructor(directory = join(home, `${folders++}`)) {
    this.#directory = directory
  }

  async open(): Promise<this> {
    this.near = await side({ store: lmdbStore({ directory: this.#directory }) })
    const reader = await this.near.broker.session('reader', { expirySeconds: 86_400 })
    await reader.subscribe('#', { qos: 2 })
    await reader.close()
    this.#bridge = await bridge(this.near.broker, {
      name: 'far',
      url: 'mqtt://far',
      state: false,
      openStream: this.remote.openStream,
      reconnect: { initialMs: 1, maxMs: 1 },
      topics: [{ filter: '#', direction: 'in', qos: 2 }],
    })
    return this
  }

  /** What a process that is killed now leaves goes on. */
  async killed(): Promise<Stage> {
    const directory = join(home, `${folders++}`)
    cpSync(this.#directory, directory, { recursive: true, filter: (path) => !/lock(\.sock)?$/.test(path) })
    await this.#bridge.close()
    await this.near.broker.close()
    return new Stage(directory).open()
  }

  /** What the reader would be given. */
  async kept(): Promise<string[]> {
    const reader = await this.near.broker.session('reader', { expirySeconds: 86_400, ack: 'manual' })
    const { queued } = reader
    const texts: string[] = []
    for await (const message of reader) if (texts.push(message.text()) >= queued) break
    await reader.close()
    return texts
  }
}

const publish = (packetId: number, text: string, dup = false, qos: 1 | 2 = 2) =>
  ({ type: 'publish', topic: 'a', payload: Buffer.from(text), qos, retain: false, dup, packetId }) as const
const pubrel = (packetId: number) => ({ type: 'pubrel', packetId }) as const

/** One message, up to PUBCOMP. */
async function goes(peer: ScriptedPeer, packetId: number, text: string, dup = false): Promise<void> {
  peer.send(publish(packetId, text, dup))
  expect(await peer.expect('pubrec')).toMatchObject({ packetId })
  peer.send(pubrel(packetId))
  expect(await peer.expect('pubcomp')).toMatchObject({ packetId })
}

const moments: readonly [string, (peer: ScriptedPeer, remote: Remote) => Promise<unknown>][] = [
  ['before it has come', async () => {}],
  [
    'after PUBREC',
    async (peer) => {
      peer.send(publish(7, 'once'))
      await peer.expect('pubrec')
    },
  ],
  ['after PUBCOMP', (peer) => goes(peer, 7, 'once')],
  [
    'after PUBREC of the repeat',
    async (peer, remote) => {
      await goes(peer, 7, 'once')
      const again = await remote.again()
      again.send(publish(7, 'once', true))
      await again.expect('pubrec')
    },
  ],
  [
    'after PUBCOMP of the repeat',
    async (peer, remote) => {
      await goes(peer, 7, 'once')
      await goes(await remote.again(), 7, 'once', true)
    },
  ],
]

test.each(moments)('killed %s: the server repeats the message, and it is here once', async (_, play) => {
  const first = await new Stage().open()
  await play(await first.remote.first(), first.remote)
  const second = await first.killed()
  const peer = await second.remote.first(true)
  await goes(peer, 7, 'once', true)
  await goes(peer, 8, 'another')
  await goes(await second.remote.again(), 7, 'once', true)
  expect(await second.kept()).toEqual(['once', 'another'])
})

test('another message under the same id is taken, also as a repeat, and then that one is known', async () => {
  const first = await new Stage().open()
  await goes(await first.remote.first(), 7, 'one')
  const second = await first.killed()
  const peer = await second.remote.first(true)
  await goes(peer, 7, 'two', true)
  await goes(peer, 7, 'two', true)
  expect(await second.kept()).toEqual(['one', 'two'])
})

test('a server that uses an id again at once is taken at its word from then on', async () => {
  const stage = await new Stage().open()
  const peer = await stage.remote.first()
  await goes(peer, 7, 'same')
  await goes(peer, 7, 'same')
  await goes(await stage.remote.again(), 7, 'same', true)
  const killed = await stage.killed()
  await goes(await killed.remote.first(true), 7, 'same', true)
  expect(await killed.kept()).toEqual(['same', 'same', 'same', 'same'])
})

test('a server with a new session means another message, also after a kill', async () => {
  const stage = await new Stage().open()
  await goes(await stage.remote.first(), 7, 'same')
  await goes(await stage.remote.again(false), 8, 'other')
  const killed = await stage.killed()
  await goes(await killed.remote.first(true), 7, 'same', true)
  expect(await killed.kept()).toEqual(['same', 'other', 'same'])
})

test('QoS 1: killed before the server had PUBACK, it is here once', async () => {
  const first = await new Stage().open()
  const peer = await first.remote.first()
  peer.send(publish(7, 'once', false, 1))
  await peer.expect('puback')
  const second = await first.killed()
  const again = await second.remote.first(true)
  again.send(publish(7, 'once', true, 1))
  expect(await again.expect('puback')).toMatchObject({ packetId: 7 })
  await goes(again, 8, 'another')
  expect(await second.kept()).toEqual(['once', 'another'])
})
