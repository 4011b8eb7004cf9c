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
let url: string

beforeAll(async () => {
  const passwords = at('passwords', `ann:${await hashPassword(Buffer.from('secret'))}\n`)
  const acl = at('acl', 'user ann\ntopic readwrite home/#\n')
  const config = at(
    'godwit.yaml',
    `listeners:
  - port: 0
  - socket: ${join(home, 'mqtt.sock')}
  - protocol: ws
    port: 0
data: memory
auth:
  passwordFile: ${passwords}
acl:
  file: ${acl}
`,
  )
  ended = terminal.run('broker', '--config', config)
  const [, port] = await terminal.printed(/listening on 127\.0\.0\.1:(\d+), .*mqtt\.sock, ws 127\.0\.0\.1:\d+/)
  url = `mqtt://127.0.0.1:${port}`
})
afterAll(async () => {
  terminal.interrupt()
  expect(await ended).toBe(0)
  rmSync(home, { recursive: true })
})

const known = { username: 'ann', password: 'secret', reconnect: false } as const

test('the banner says that clients are asked who they are', () => {
  expect(terminal.output).toMatch(/who may connect +who can show who they are/)
})

describe.each([4, 5] as const)('at version %i', (version) => {
  test('who is known comes in, and may do what the rules allow', async () => {
    await using client = await connect(url, { ...known, version })
    await using kitchen = await client.subscribe('home/#')
    await client.publish('home/kitchen', 'x', { qos: 1 })
    for await (const message of kitchen) {
      expect(message.text()).toBe('x')
      break
    }
    await expect(client.subscribe('other/#')).rejects.toThrow(SubscriptionRefusedError)
  })

  test.each([
    ['nobody', {}],
    ['a wrong password', { username: 'ann', password: 'guess' }],
    ['an unknown user', { username: 'bob', password: 'secret' }],
  ])('%s is refused', async (_, credentials) => {
    await expect(connect(url, { ...credentials, version, reconnect: false })).rejects.toThrow(ServerRefusedError)
  })
})

test('SIGHUP reads the access rules again, and keeps the old where the new are broken', async () => {
  await using client = await connect(url, known)
  at('acl', 'user ann\ntopic readwrite home/#\ntopic readwrite garden/#\n')
  terminal.hangUp()
  await terminal.printed(/"message":"reloaded",.*access rules/)
  await using garden = await client.subscribe('garden/#')
  expect(garden).toBeDefined()
  at('acl', 'user ann\nnonsense home/#\n')
  terminal.hangUp()
  await terminal.printed(/"not reloaded",.*acl:2/)
  await client.publish('garden/x', 'y', { qos: 1 })
})
