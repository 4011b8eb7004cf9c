import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Batches } from '../batches.js'
import { Changes } from '../changes.js'
import { Faults } from '../faults.js'
import type { Logger } from '../log.js'
import type { ClientInfo } from './client-info.js'
import { HookRunner } from './hook-runner.js'
import type { AuthorizeRequest, Hooks } from './hooks.js'

const client: ClientInfo = { clientId: 'c', username: undefined, address: '', version: 4, cleanStart: true }
const connect = { ...client, password: undefined }
const wish: AuthorizeRequest = { action: 'publish', client, topic: 't', qos: 0, retain: false }
const message = { topic: 't', payload: Buffer.alloc(0), qos: 0, retain: false, publisher: 'c' } as const

function runnerOf(...hooks: Hooks[]) {
  const log: string[] = []
  const logger: Logger = { log: (level, text, fields) => void log.push(`${level} ${text} ${fields?.error}`) }
  const faults = new Faults(undefined, logger)
  const runner = new HookRunner(hooks, faults, new Changes(new Batches(faults)))
  return { runner, log }
}

const fail = (): never => {
  throw new Error('boom')
}

/** What a promise library other than the language's own gives. */
function thenableOf(answer: unknown): Promise<never> {
  const promise = Promise.resolve(answer)
  return Object.fromEntries([['then', promise.then.bind(promise)]]) as unknown as Promise<never>
}

describe('HookRunner', () => {
  it('allows what nobody decides on, at once', () => {
    const { runner } = runnerOf({}, { onConnect() {} })
    expect(runner.authenticate(connect)).toBe(true)
    expect(runner.authorize(wish)).toBe(true)
    expect(runner.publish(message, client)).toBe(true)
    expect(runner.watchesPublish).toBe(false)
  })

  it('watches PUBLISH when a hook authorizes or listens', () => {
    expect(runnerOf({ authorize: () => true }).runner.watchesPublish).toBe(true)
    expect(runnerOf({ onPublish() {} }).runner.watchesPublish).toBe(true)
  })

  it('asks in order and stops at the first refusal, whether hooks answer at once or later', async () => {
    const asked: string[] = []
    const hook = (name: string, answer: boolean, later: boolean): Hooks => ({
      authorize: () => {
        asked.push(name)
        return later ? Promise.resolve(answer) : answer
      },
    })
    const { runner } = runnerOf(
      hook('a', true, false),
      hook('b', true, true),
      hook('c', false, false),
      hook('d', true, false),
    )
    expect(await runner.authorize(wish)).toBe(false)
    expect(asked).toEqual(['a', 'b', 'c'])
  })

  it('stays synchronous when all hooks are', () => {
    const { runner } = runnerOf({ authenticate: () => true }, { authenticate: () => 'bad-credentials' })
    expect(runner.authenticate(connect)).toBe('bad-credentials')
  })

  it.each([
    ['throws', fail],
    ['rejects', async () => fail()],
  ])('refuses when a hook %s, and says which', async (_, failing) => {
    const { runner, log } = runnerOf({ name: 'door', authenticate: failing, authorize: failing, onPublish: failing })
    expect(await runner.authenticate(connect)).toBe('unavailable')
    expect(await runner.authorize(wish)).toBe(false)
    expect(await runner.publish(message, client)).toBe(false)
    expect(log).toEqual(
      ['authenticate', 'authorize', 'onPublish'].map((what) => `error hook door failed in ${what} Error: boom`),
    )
  })

  it('waits for any thenable, and takes nothing but true for a yes', async () => {
    const refusal = runnerOf({ authorize: () => thenableOf(false) }).runner.authorize(wish)
    expect(refusal).toBeInstanceOf(Promise) // or a caller that looks at once would take the object for a yes
    expect(await refusal).toBe(false)
    expect(await runnerOf({ authorize: () => thenableOf(true) }).runner.authorize(wish)).toBe(true)
    expect(await runnerOf({ authorize: () => 'yes' as never }).runner.authorize(wish)).toBe(false)
    expect(await runnerOf({ authorize: () => undefined as never }).runner.authorize(wish)).toBe(false)
    const seen: string[] = []
    const slow: Hooks = { onPublish: () => thenableOf(undefined) }
    await runnerOf(slow, { onPublish: () => void seen.push('second') }).runner.publish(message, client)
    expect(seen).toEqual(['second'])
  })

  it('tells every hook of a connection, though one fails', () => {
    const told: string[] = []
    const { runner, log } = runnerOf(
      { onConnect: fail, onDisconnect: fail },
      {
        onConnect: ({ clientId }) => told.push(`${clientId} connected`),
        onDisconnect: ({ clientId }, reason) => told.push(`${clientId} gone: ${reason}`),
      },
    )
    runner.connected(client)
    runner.disconnected(client, 'why')
    expect(told).toEqual(['c connected', 'c gone: why'])
    expect(log).toHaveLength(2)
  })

  it('reports a listener for connections that rejects, instead of leaving the rejection to the process', async () => {
    const { runner, log } = runnerOf({ name: 'audit', onConnect: (async () => fail()) as () => void })
    runner.connected(client)
    await nextTurn()
    expect(log).toEqual(['error hook audit failed in onConnect Error: boom'])
  })
})
