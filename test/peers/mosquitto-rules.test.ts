// What access rules made of mosquitto's files say, held against mosquitto itself: each client, action and topic of a small
// world. The differences that are meant are listed; docs/moving-from-mosquitto.md tells of them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AccessAction,
  type AccessRules,
  accessRules,
  mosquittoAcl,
  parsePasswordLines,
} from '@godwit/broker/access'
import { afterAll, describe, expect, test } from 'vitest'
import { readDynamicSecurity } from '../../packages/cli/src/config-import/dynamic-security.js'
import { Asked, mosquittoProgram, rootOf, runningMosquitto, type Who } from './mosquitto-at-work.js'
import { dynamicSecurityPlugin, missingDynamicSecurity } from './mosquitto-plugins.js'
import { needs } from './needs.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-rules-'))
afterAll(() => rmSync(home, { recursive: true }))

interface World {
  readonly clients: readonly Who[]
  readonly topics: readonly string[]
  readonly filters: readonly string[]
}

/** `who action topic: mosquitto yes, godwit no`, for all that the two do not agree on. */
async function differences(port: number, root: Who, { clients, topics, filters }: World, rules: AccessRules) {
  const told: string[] = []
  let asked = 0
  const master = await rootOf(port, root)
  for (const who of clients) {
    const subject = { clientId: who.clientId, username: who.username }
    const there = await Asked.connect(port, who, master)
    if (!there) throw new Error(`${who.username} may not come in`)
    const compare = (action: AccessAction, topic: string, theirs: boolean | undefined): void => {
      if (theirs === undefined) return
      asked++
      const ours = rules.explain({ action, client: subject, topic }).allowed
      const word = (yes: boolean): string => (yes ? 'yes' : 'no')
      if (ours !== theirs) {
        told.push(`${who.username ?? '-'} ${action} ${topic}: mosquitto ${word(theirs)}, godwit ${word(ours)}`)
      }
    }
    for (const topic of topics) compare('publish', topic, await there.publish(topic))
    for (const filter of filters) compare('subscribe', filter, await there.subscribe(filter))
    for (const topic of topics) compare('receive', topic, await there.receive(topic))
    await there.close()
  }
  await master.close()
  return { told, asked }
}

describe('acl_file', () => {
  const acl = `topic read public/#
topic deny public/secret
topic readwrite $share/g/a/#
user root
topic readwrite #
user ann
topic read home/#
topic deny home/door/code
topic write home/+/set
topic readwrite a topic with blanks
topic subs
user bob
topic write #
pattern readwrite users/%u/#
pattern read clients/%c
pattern deny users/%u/deep
pattern read plain/x
`
  const world: World = {
    clients: [
      { clientId: 'c1' },
      { clientId: 'c1', username: 'ann', password: 'x' },
      { clientId: 'c2', username: 'bob', password: 'x' },
      { clientId: 'c2', username: 'eve', password: 'x' },
    ],
    topics: [
      ...['public/a', 'public/secret', 'home', 'home/x', 'home/door/code', 'home/x/set', 'home/x/y/set', 'a/b', 'subs'],
      ...[
        'a topic with blanks',
        'users/ann/x',
        'users/ann/deep',
        'users/bob/x',
        'users/-/x',
        'clients/c1',
        'clients/c2',
      ],
      ...['plain/x', 'x'],
    ],
    filters: [],
  }

  test('publishing and receiving, as mosquitto judges it', async (context) => {
    needs(context, mosquittoProgram)
    const lines = ['listener PORT 127.0.0.1', 'allow_anonymous true', 'acl_file FOLDER/acl']
    const { port, stop } = await runningMosquitto(lines, { acl })
    try {
      const root = { clientId: 'root', username: 'root', password: 'x' }
      const { told, asked } = await differences(port, root, world, accessRules(mosquittoAcl(acl, 'acl')))
      expect(told).toEqual([])
      expect(asked).toBe(2 * world.clients.length * world.topics.length)
    } finally {
      await stop()
    }
  })
})

describe('dynamic security', () => {
  const hash = {
    // of "secret"
    password: 'Hd71hnNoKcARd6Fkl1rUE+opfs3V78ZJB2AgXXC1kaKQiWfi5S5qX7D1mY5b+bIzvyidWMnS8VA+YAsAygq9EA==',
    salt: 'c2FsdHNhbHRzYWx0',
    iterations: 101,
  }
  const acl = (acltype: string, topic: string, allow = true, priority = 0) => ({ acltype, topic, allow, priority })
  const named = (rolename: string, priority = 0) => ({ rolename, priority })
  const client = (username: string, ...roles: readonly object[]) => ({ username, roles, ...hash })
  const tree = (defaults: boolean) => ({
    defaultACLAccess: {
      publishClientSend: defaults,
      publishClientReceive: defaults,
      subscribe: defaults,
      unsubscribe: true,
    },
    clients: [
      client('root', named('all')),
      client('ann', named('low', 1), named('high', 2)),
      client('bob', named('low', 2), named('high', 1)),
      client('carl', named('literal')),
      client('dora'),
      client('emil', named('receiver')),
      { ...client('shut', named('all')), disabled: true },
      { ...client('bound', named('low')), clientid: 'only' },
      { username: 'bare', roles: [named('all')] },
    ],
    groups: [
      { groupname: 'g1', roles: [named('low')], clients: [{ username: 'dora', priority: 1 }] },
      { groupname: 'g2', roles: [named('high')], clients: [{ username: 'dora', priority: 5 }] },
      { groupname: 'nobody', roles: [named('receiver')], clients: [] },
    ],
    anonymousGroup: 'nobody',
    roles: [
      {
        rolename: 'all',
        acls: ['publishClientSend', 'publishClientReceive', 'subscribePattern'].map((type) => acl(type, '#')),
      },
      {
        rolename: 'low',
        acls: [
          ...[
            acl('publishClientSend', 't/x', false, 3),
            acl('publishClientSend', 't/#'),
            acl('publishClientSend', 'u'),
          ],
          ...[acl('subscribePattern', 's/#'), acl('subscribePattern', 's/no/#', false, 1)],
          ...[acl('publishClientReceive', 's/#'), acl('publishClientReceive', 's/x', false, 9)],
        ],
      },
      {
        rolename: 'high',
        acls: [
          ...[
            acl('publishClientSend', 't/y', false),
            acl('publishClientSend', '+/z', true),
            acl('publishClientSend', 'u', false),
          ],
          ...[acl('subscribePattern', 's/y', false), acl('publishClientReceive', 's/y', false)],
        ],
      },
      {
        rolename: 'literal',
        acls: [
          ...[
            acl('subscribeLiteral', 's/#'),
            acl('subscribeLiteral', '#', false),
            acl('subscribeLiteral', 't/+', false),
          ],
          ...[acl('subscribePattern', 't/#'), acl('subscribeLiteral', 's/x', true), acl('publishClientReceive', 't/#')],
        ],
      },
      {
        rolename: 'receiver',
        acls: [acl('publishClientReceive', 's/x'), acl('subscribePattern', 's/+'), acl('publishClientSend', 's/x')],
      },
    ],
  })
  const world: World = {
    clients: [
      ...['ann', 'bob', 'carl', 'dora', 'emil'].map((username) => ({ clientId: 'c', username, password: 'secret' })),
      { clientId: 'only', username: 'bound', password: 'secret' },
      { clientId: 'c' },
    ],
    topics: ['t', 't/x', 't/y', 't/z', 'u', 'u/z', 's', 's/x', 's/y', 's/no', 's/no/x', 'other'],
    filters: [
      ...[
        '#',
        '+',
        '+/#',
        '+/+',
        't/#',
        't/+',
        't/x',
        't',
        's/#',
        's/+',
        's/x',
        's/y',
        's',
        's/no/#',
        's/no',
        's/no/+',
      ],
      ...['s/+/x', 'other', '$SYS/#', '$SYS/broker/uptime'],
    ],
  }

  test.for([false, true])('publishing, subscribing and receiving, where defaults say %s', async (defaults, context) => {
    needs(context, mosquittoProgram, { missing: missingDynamicSecurity })
    const { port, stop } = await startWith(defaults)
    try {
      const file = join(home, `${defaults}.json`)
      writeFileSync(file, JSON.stringify(tree(defaults)))
      const rules = accessRules(readDynamicSecurity(file).rules.map(({ rule }) => rule))
      const root = { clientId: 'root', username: 'root', password: 'secret' }
      const { told, asked } = await differences(port, root, world, rules)
      expect(told).toEqual([])
      expect(asked).toBeGreaterThan(world.clients.length * (world.topics.length + world.filters.length))
    } finally {
      await stop()
    }
  })

  test('who may come in: those whose lines are written, with the same password', async (context) => {
    needs(context, mosquittoProgram, { missing: missingDynamicSecurity })
    const { port, stop } = await startWith(false)
    const file = join(home, 'clients.json')
    writeFileSync(file, JSON.stringify(tree(false)))
    const lines = await parsePasswordLines(readDynamicSecurity(file).passwords.join('\n'), 'passwords')
    const master = await rootOf(port, { clientId: 'root', username: 'root', password: 'secret' })
    try {
      for (const { username } of tree(false).clients) {
        for (const password of ['secret', 'guess']) {
          const there = await Asked.connect(port, { clientId: 'only', username, password }, master)
          await there?.close()
          const here = await lines.get(username)?.hash.matches(Buffer.from(password))
          expect([username, password, here ?? false]).toEqual([username, password, there !== undefined])
        }
      }
    } finally {
      await master.close()
      await stop()
    }
  })

  function startWith(defaults: boolean) {
    const plugin = ['plugin PLUGIN', 'plugin_opt_config_file FOLDER/dynamic-security.json']
    const lines = ['listener PORT 127.0.0.1', 'allow_anonymous true', ...plugin]
    return runningMosquitto(
      lines.map((line) => line.replace('PLUGIN', dynamicSecurityPlugin ?? '')),
      { 'dynamic-security.json': JSON.stringify(tree(defaults)) },
    )
  }
})
