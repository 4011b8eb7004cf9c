import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashPassword } from '@godwit/broker/access'
import { connect, ServerRefusedError, SubscriptionRefusedError } from '@godwit/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestTerminal } from './test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-listeners-'))
const at = (name: string, text: string): string => {
  const path = join(home, name)
  writeFileSync(path, text)
  return path
}

const terminal = new TestTerminal()
let ended: Promise<number>
/** The listener with what stands outside, the one with its own, the one for anybody. */
let common: string
let own: string
let open: string

beforeAll(async () => {
  const line = async (user: string): Promise<string> => `${user}:${await hashPassword(Buffer.from('secret'))}\n`
  const config = at(
    'godwit.yaml',
    `listeners:
  - port: 0
  - port: 0
    auth: { passwordFile: ${at('gates', await line('gate'))} }
    acl: { file: ${at('acl', 'user gate\ntopic readwrite gate/#\n')} }
  - port: 0
    allowAnonymous: true
data: memory
auth: { passwordFile: ${at('people', await line('ann'))} }
acl: { rules: [{ allow: [publish, subscribe], filter: home/# }] }
`,
  )
  ended = terminal.run('broker', '--config', config)
  const [, ...ports] = await terminal.printed(/listening on \S+?:(\d+), \S+?:(\d+), \S+?:(\d+)\n/)
  ;[common, own, open] = ports.map((port) => `mqtt://127.0.0.1:${port}`) as [string, string, string]
})
afterAll(async () => {
  terminal.interrupt()
  expect(await ended).toBe(0)
  rmSync(home, { recursive: true })
})

const as = (username: string) => ({ username, password: 'secret', reconnect: false }) as const

describe('a listener', () => {
  test('without auth and acl has those that stand outside', async () => {
    await using ann = await connect(common, as('ann'))
    await using granted = await ann.subscribe('home/#')
    expect(granted).toBeDefined()
    await expect(ann.subscribe('gate/#')).rejects.toThrow(SubscriptionRefusedError)
    await expect(connect(common, as('gate'))).rejects.toThrow(ServerRefusedError)
    await expect(connect(common, { reconnect: false })).rejects.toThrow(ServerRefusedError)
  })

  test('with its own has these instead', async () => {
    await using gate = await connect(own, as('gate'))
    await using granted = await gate.subscribe('gate/#')
    expect(granted).toBeDefined()
    await expect(gate.subscribe('home/#')).rejects.toThrow(SubscriptionRefusedError)
    await expect(connect(own, as('ann'))).rejects.toThrow(ServerRefusedError)
  })

  test('with allowAnonymous lets in who says no name, and asks who says one', async () => {
    await using nobody = await connect(open, { reconnect: false })
    await using granted = await nobody.subscribe('home/#')
    expect(granted).toBeDefined()
    await using ann = await connect(open, as('ann'))
    expect(ann).toBeDefined()
    await expect(connect(open, { ...as('ann'), password: 'guess' })).rejects.toThrow(ServerRefusedError)
  })
})

test('a message goes from one listener to another, and only to whom its rules let it', async () => {
  await using ann = await connect(common, as('ann'))
  await using nobody = await connect(open, { reconnect: false })
  await using inbox = await nobody.subscribe('home/+')
  await ann.publish('home/x', 'y', { qos: 1 })
  for await (const message of inbox) {
    expect(message.topic).toBe('home/x')
    break
  }
})

test('a listener beyond this machine needs auth or a word of its own', async () => {
  const config = at(
    'open.yaml',
    'listeners:\n  - { port: 0, allowAnonymous: true, host: 0.0.0.0 }\n  - { port: 0, host: 0.0.0.0 }\ndata: memory\n',
  )
  const refused = new TestTerminal()
  expect(await refused.run('broker', '--config', config)).toBe(1)
  expect(refused.errors).toMatch(/^godwit broker: 0\.0\.0\.0 can be reached by other machines and nobody is asked/)
})
