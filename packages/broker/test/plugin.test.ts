import { describe, expect, it } from 'vitest'
import type { Hooks } from '../src/index.js'
import { type CallWatch, definePlugin, type PluginOptionsError, preparePlugin } from '../src/plugin/index.js'
import { VirtualClock } from '../src/testing/index.js'
import { type Rig, settled, startRig } from './rig.js'

/** A schema by hand: a port, 80 unless it is said. */
const portSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate(value: unknown) {
      const { port = 80 } = value as { port?: number }
      if (Number.isInteger(port)) return { value: { port } }
      return { issues: [{ message: 'no port', path: ['port', { key: 0 }] }] }
    },
  },
}

async function rigWith(hooks: readonly Hooks[] = []): Promise<Rig> {
  return startRig({ hooks })
}

describe('definePlugin', () => {
  it('types options by the schema, and state by what makes it', async () => {
    const plugin = definePlugin({
      name: 'typed',
      options: portSchema,
      state: ({ options }) => ({ ports: [options.port] }),
      hooks: ({ state, options }) => ({
        authorize: ({ qos }) => state.ports.includes(qos satisfies number) && options.port > 1,
      }),
      start(_, { state, options }) {
        state.ports.push(options.port + 1)
      },
      counts: ({ state }) => ({ ports: state.ports.length }),
    })
    const prepared = await preparePlugin(plugin, { port: 2 })
    const rig = await rigWith(prepared.hooks)
    expect(prepared.counts()).toEqual({ ports: 1 })
    await prepared.start(rig.broker)
    expect(prepared.counts()).toEqual({ ports: 2 })
    // @ts-expect-error there are no options without a schema
    definePlugin({ name: 'none', hooks: ({ options }) => ({ authorize: () => options.port }) })
  })

  it.each([
    [undefined, 'a plugin is undefined; it takes an object, as definePlugin makes it'],
    [{}, 'a plugin needs a name of letters, digits, -, _ and ., 64 at most; it has undefined'],
    [{ name: 'a/b' }, 'a plugin needs a name of letters, digits, -, _ and ., 64 at most; it has "a/b"'],
    [{ name: 'p', strat() {} }, 'plugin p has no strat; did you mean start?'],
    [{ name: 'p', authorize() {} }, 'plugin p has no authorize; here that is hooks: { authorize }'],
    [{ name: 'p', start: 1 }, 'plugin p: start is 1; it takes a function'],
    [
      { name: 'p', options: { port: 1 } },
      'plugin p: options takes a schema, of zod or another library that speaks Standard Schema',
    ],
    [{ name: 'p', hooks: { autorize() {} } }, 'plugin p: hooks has no autorize; did you mean authorize?'],
    [{ name: 'p', hooks: () => ({ onMessage() {} }) }, 'plugin p: hooks has no onMessage; here that is onPublish'],
    [{ name: 'p', authenticator: () => ({}) }, 'plugin p: authenticator takes an object with check'],
  ])('is looked at: %o', async (plugin, problem) => {
    await expect(preparePlugin(plugin)).rejects.toMatchObject({ code: 'invalid-option', message: problem })
  })

  it('checks options, and says where they are wrong', async () => {
    const plugin = { name: 'p', options: portSchema }
    const wrong = preparePlugin(plugin, { port: 'x' })
    await expect(wrong).rejects.toThrow('plugin p: options.port.0: no port')
    expect((await wrong.catch((error: PluginOptionsError) => error)) as PluginOptionsError).toMatchObject({
      issues: [{ path: ['port', 0], message: 'no port' }],
    })
    await expect(preparePlugin({ name: 'q' }, { port: 1 })).rejects.toThrow('plugin q: options: this plugin takes none')
    await preparePlugin(plugin) // `{}` stands for options that are not there
  })
})

describe('a prepared plugin', () => {
  const clock = new VirtualClock()
  const log: string[] = []
  const settings = {
    clock,
    log: {
      log: (level: string, text: string, fields = {}) => void log.push(`${level} ${text} ${JSON.stringify(fields)}`),
    },
  }

  it('says what fails in which part, and is stopped when its start fails', async () => {
    const fail = (): never => {
      throw new Error('no such\nhost')
    }
    await expect(preparePlugin({ name: 'p', state: fail })).rejects.toThrow('plugin p failed in state: no such; host')
    await expect(preparePlugin({ name: 'p', hooks: fail })).rejects.toMatchObject({ code: 'plugin-failed' })
    const ended: string[] = []
    const prepared = await preparePlugin({
      name: 'p',
      start: (_: unknown, { signal }: { signal: AbortSignal }) => {
        signal.addEventListener('abort', () => ended.push('abort'))
        fail()
      },
      stop: () => ended.push('stop'),
    })
    await expect(prepared.start((await rigWith()).broker)).rejects.toThrow('plugin p did not start: no such; host')
    expect(ended).toEqual(['abort', 'stop'])
  })

  it('does not wait for ever', async () => {
    const never = () => new Promise(() => {})
    const slow = await preparePlugin({ name: 'slow', start: never, stop: never }, undefined, settings)
    const started = slow.start((await rigWith()).broker)
    const problem = expect(started).rejects.toThrow('plugin slow did not start: after 30000 ms it is not done')
    clock.advance(30_000)
    await settled()
    clock.advance(10_000)
    await problem
    expect(log).toEqual(['error plugin slow: did not stop in order {"error":"after 10000 ms it is left to itself"}'])
  })

  it('refuses for a hook that never answers', async () => {
    const hooks = { authorize: () => new Promise<boolean>(() => {}) }
    const rig = await rigWith((await preparePlugin({ name: 'mute', hooks }, undefined, { clock })).hooks)
    const client = await rig.connect('c')
    client.publish('a', 'x', 1, 7)
    expect(await client.heard()).toEqual([])
    clock.advance(30_000)
    expect(await client.heard()).toEqual(['puback 7'])
    expect((await rig.broker.metrics()).dropped['not-authorized']).toBe(1)
    expect(rig.log.filter((line) => line.startsWith('error'))).toEqual([
      'error hook of plugin mute failed in authorize {"clientId":"c","error":"Error: after 30000 ms there is no answer"}',
    ])
  })

  it('has hooks that are told apart in the log, and a watch that sees them entered and left', async () => {
    const seen: string[] = []
    const watch: CallWatch = {
      register: (plugin, call) => seen.push(`${plugin} ${call}`) - 1,
      enter: (call) => void seen.push(`> ${seen[call]}`),
      leave: () => void seen.push('<'),
    }
    class Rules {
      allowed = 'a'
      authorize({ topic }: { topic: string }): boolean {
        if (topic === 'boom') throw new Error('boom')
        return topic === this.allowed
      }
    }
    const prepared = await preparePlugin({ name: 'rules', hooks: () => new Rules() }, undefined, { watch })
    const rig = await rigWith(prepared.hooks)
    const client = await rig.connect('c')
    rig.broker.subscribe('#', ({ topic }) => void seen.push(topic))
    for (const topic of ['a', 'b', 'boom']) client.publish(topic, 'x')
    await settled()
    expect(seen).toEqual([
      'rules authorize',
      '> rules authorize',
      '<',
      'a',
      ...['> rules authorize', '<', '> rules authorize', '<'],
    ])
    expect(rig.log.filter((line) => line.startsWith('error'))).toEqual([
      'error hook of plugin rules failed in authorize {"clientId":"c","error":"Error: boom"}',
    ])
  })
})
