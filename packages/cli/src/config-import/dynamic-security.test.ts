import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccessAction, accessRules } from '@godwit/broker/access'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { TestTerminal } from '../../test/test-terminal.js'
import { readDynamicSecurity } from './dynamic-security.js'
import { importMosquitto } from './mosquitto-import.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-dynsec-'))
afterAll(() => rmSync(home, { recursive: true }))
const file = join(home, 'dynamic-security.json')

/** What mosquitto 2.0.11 made of a password. */
const hash = { password: 'cGFzc3dvcmQ=', salt: 'c2FsdHNhbHQ=', iterations: 101 }
const encoded = '$7$101$c2FsdHNhbHQ=$cGFzc3dvcmQ='
const argon2 = '$argon2id$v=19$m=47104,t=1,p=1$AAAAAAAAAAA$BBBBBBBBBBBB'

interface Entry {
  readonly [key: string]: unknown
}

const acl = (acltype: string, topic: string, allow = true, priority = 0): Entry => ({ acltype, topic, allow, priority })
const role = (rolename: string, ...acls: readonly Entry[]): Entry => ({ rolename, acls })
const client = (username: string, roles: readonly string[] = [], more: Entry = hash): Entry => ({
  username,
  roles: roles.map((rolename) => ({ rolename })),
  ...more,
})

function written(tree: Entry): string {
  writeFileSync(file, JSON.stringify(tree))
  return file
}

/** `+` and `-`: what the rules say of wishes such as `ann publish a/b`; `-` for nobody's name. */
function said(tree: Entry, ...wishes: readonly string[]): string {
  const engine = accessRules(readDynamicSecurity(written(tree)).rules.map(({ rule }) => rule))
  return wishes
    .map((wish) => {
      const [name, action, topic = '', clientId = 'c'] = wish.split(' ')
      const subject = { clientId, username: name === '-' ? undefined : name }
      return engine.explain({ action: action as AccessAction, client: subject, topic }).allowed ? '+' : '-'
    })
    .join('')
}

describe('clients', () => {
  const tree = {
    clients: [
      client('ann'),
      client('bob', [], { encoded_password: encoded }),
      client('carl', [], { encoded_password: argon2 }),
      client('dora', [], { ...hash, disabled: true }),
      client('eve', [], {}),
      client('a:b'),
      client('#x'),
      client('ann'),
      { roles: [] },
    ],
  }

  test('have lines of a password file; who could not come in is left out and told', () => {
    const { passwords, untranslated, remarks } = readDynamicSecurity(written(tree))
    expect(passwords).toEqual([`ann:${encoded}`, `bob:${encoded}`, `carl:${argon2}`, `a:b:${encoded}`])
    expect(untranslated.map(({ entry, why }) => `${entry}: ${why}`)).toEqual([
      'client ann: it stands there twice; mosquitto takes the first',
      'a client: it has no username; mosquitto passes over it',
      'client dora: it is disabled, and left out',
      'client eve: it has no password, so it could not come in, and is left out',
      'client #x: a password file has no form for such a name',
    ])
    expect(remarks).toEqual([
      { entry: 'client carl', why: expect.stringContaining('needs a package: npm install @node-rs/argon2') },
    ])
  })

  test('the import writes them beside the configuration, for their user alone', async () => {
    const output = join(home, 'godwit.yaml')
    const terminal = new TestTerminal()
    expect(await terminal.run('config', 'import', written({ clients: [client('ann')] }), '-o', output)).toBe(0)
    const passwords = join(home, 'godwit.passwords')
    expect([readFileSync(passwords, 'utf8'), statSync(passwords).mode & 0o777]).toEqual([`ann:${encoded}\n`, 0o600])
    expect(parse(readFileSync(output, 'utf8'))).toMatchObject({ auth: { passwordFile: passwords } })
    const checking = new TestTerminal()
    expect([await checking.run('config', 'check', output), checking.errors]).toEqual([
      1,
      expect.stringMatching(/damaged/),
    ])
  })

  test('to standard output they are not written, and that is told', async () => {
    const terminal = new TestTerminal()
    expect(await terminal.run('config', 'import', written({ clients: [client('ann')] }), '--strict')).toBe(1)
    expect(terminal.errors).toBe(
      'not translated: users and their passwords: with -o FILE or --passwords FILE they are written\n',
    )
    expect(terminal.output).not.toContain(hash.password)
  })
})

describe('roles', () => {
  const roles = [
    role('low', acl('publishClientSend', 't/#', true), acl('publishClientSend', 't/x', false, 1)),
    role('high', acl('publishClientSend', 't/y', false), acl('publishClientSend', 'u/#', true)),
  ]

  test('the entry of the highest priority decides, in the role of the highest priority', () => {
    const roleOf = (low: number, high: number): Entry => ({
      clients: [{ username: 'ann', ...hash, roles: [named('low', low), named('high', high)] }],
      roles,
    })
    const named = (rolename: string, priority: number): Entry => ({ rolename, priority })
    const wishes = ['ann publish t/x', 'ann publish t/y', 'ann publish t/z', 'ann publish u/1', 'bob publish u/1']
    expect(said(roleOf(1, 2), ...wishes)).toBe('--++-')
    expect(said(roleOf(2, 1), ...wishes)).toBe('-+++-')
    expect(said(roleOf(1, 1), ...wishes)).toBe('--++-') // by name: high goes before low
  })

  test('those of a client go before those of its groups, and these by their priorities', () => {
    const tree = {
      clients: [client('ann', ['own'])],
      groups: [
        { groupname: 'g1', roles: [{ rolename: 'low' }], clients: [{ username: 'ann', priority: 1 }] },
        {
          groupname: 'g2',
          roles: [{ rolename: 'high' }],
          clients: [{ username: 'ann', priority: 2 }, { username: 'x' }],
        },
      ],
      roles: [...roles, role('own', acl('publishClientSend', 't/y', true))],
    }
    expect(said(tree, 'ann publish t/y', 'ann publish t/x', 'ann publish u/1', 'ann publish t/z')).toBe('+-++')
  })

  test('subscribing, receiving and publishing are apart', () => {
    const tree = {
      clients: [client('ann', ['r'])],
      roles: [
        role('r', acl('subscribePattern', 's/#'), acl('publishClientReceive', 's/x'), acl('publishClientSend', 'p')),
      ],
    }
    const wishes = [
      'subscribe s/#',
      'subscribe s/x',
      'receive s/x',
      'receive s/y',
      'publish s/x',
      'publish p',
      'receive p',
    ]
    expect(said(tree, ...wishes.map((wish) => `ann ${wish}`))).toBe('+++--+-')
    const open = { ...tree, defaultACLAccess: { publishClientReceive: true } }
    expect(said(open, ...wishes.map((wish) => `ann ${wish}`))).toBe('++++-++')
  })

  test('a literal entry is for its own letters, a pattern for what lies within it', () => {
    const tree = {
      clients: [client('ann', ['r'])],
      roles: [
        role(
          'r',
          ...[
            acl('subscribeLiteral', 'l/#'),
            acl('subscribeLiteral', '#', false),
            acl('subscribeLiteral', 'e/+', false),
          ],
          ...[acl('subscribePattern', 'd/x', false, 5), acl('subscribePattern', 'd/#'), acl('subscribePattern', 'e/#')],
        ),
      ],
    }
    const wishes = ['l/#', 'l/x', '#', 'e/+', 'e/x', 'e/#', 'd/x', 'd/#', 'd/+']
    expect(said(tree, ...wishes.map((wish) => `ann subscribe ${wish}`))).toBe('+---++-++')
  })

  test('one without wildcards, of 2.1', () => {
    const tree = {
      clients: [client('ann', ['r'])],
      roles: [
        { ...role('r', acl('subscribePattern', 's/#'), acl('subscribeLiteral', 's/#')), allowwildcardsubs: false },
      ],
    }
    expect(said(tree, 'ann subscribe s/#', 'ann subscribe s/+', 'ann subscribe s/x')).toBe('--+')
  })

  test('%c and %u, of 2.1, are told: to 2.0 they are two letters', () => {
    const tree = {
      clients: [client('ann', ['r'])],
      roles: [role('r', acl('publishClientSend', 'v/%u/#'), acl('publishClientSend', 'w/%c'))],
    }
    expect(said(tree, 'ann publish v/ann/x', 'ann publish v/bob/x', 'ann publish w/c', 'ann publish w/d')).toBe('+-+-')
    expect(importMosquitto(written(tree)).remarks).toMatchObject([
      { why: expect.stringContaining('as in mosquitto 2.1') },
    ])
  })

  test('what cannot be said is told: shared subscriptions, unknown kinds, filters that are none, UNSUBSCRIBE', () => {
    const tree = {
      roles: [
        role(
          'r',
          ...[acl('subscribePattern', '$share/g/#'), acl('admin', 'a'), acl('publishClientSend', 'a/#/b')],
          acl('unsubscribePattern', 'a', false),
        ),
      ],
    }
    expect(readDynamicSecurity(written(tree)).untranslated.map(({ entry }) => entry)).toEqual([
      ...['role r', 'role r', 'role r', 'unsubscribe'],
    ])
  })
})

test('defaults are for all, also for those without a name, and never for $CONTROL', () => {
  const tree = {
    defaultACLAccess: { publishClientSend: true, publishClientReceive: true, subscribe: true },
    clients: [client('ann')],
    roles: [role('admin', acl('publishClientSend', '$CONTROL/#'), acl('publishClientSend', '$our/x', false))],
  }
  const wishes = ['ann publish a', '- publish a', 'ann subscribe #', 'ann subscribe $SYS/#', 'ann receive $SYS/x']
  expect(said(tree, ...wishes, 'ann publish $our/y', 'ann publish $CONTROL/x')).toBe('++++++-')
  expect(said({ clients: [client('ann')] }, ...wishes)).toBe('-----')
})

test('the anonymous group is for clients without a user name', () => {
  const tree = {
    clients: [client('ann')],
    groups: [{ groupname: 'anon', roles: [{ rolename: 'r' }] }],
    roles: [role('r', acl('publishClientSend', 'a'))],
    anonymousGroup: 'anon',
  }
  expect(said(tree, '- publish a', 'ann publish a')).toBe('+-')
})

test('a client of one Client Identifier may do nothing under another', () => {
  const tree = {
    defaultACLAccess: { publishClientSend: true },
    clients: [client('ann', ['r'], { ...hash, clientid: 'only' })],
    roles: [role('r', acl('subscribePattern', 'a/#'))],
  }
  expect(said(tree, 'ann publish x only', 'ann subscribe a/# only', 'ann publish x c', 'ann subscribe a/# c')).toBe(
    '++--',
  )
  expect(importMosquitto(written(tree)).remarks).toMatchObject([{ said: 'client ann', where: file }])
})

describe('from mosquitto.conf', () => {
  const configured = (...lines: readonly string[]) => {
    const config = join(home, 'mosquitto.conf')
    writeFileSync(config, `${lines.join('\n')}\n`)
    const imported = importMosquitto(config, { passwords: '/etc/godwit/passwords' })
    return { ...imported, values: parse(imported.yaml) as Record<string, unknown> }
  }
  const plugin = ['plugin /usr/lib/mosquitto_dynamic_security.so', `plugin_opt_config_file ${file}`]
  const tree = { clients: [client('ann', ['r'])], roles: [role('r', acl('publishClientSend', 'a'))] }

  test('the file of the plugin is read with it', () => {
    written(tree)
    const { values, passwords } = configured('listener 1884', ...plugin)
    expect(values).toMatchObject({
      auth: { passwordFile: '/etc/godwit/passwords' },
      acl: { rules: [{ deny: 'receive', filter: '#' }, {}, { allow: 'publish', filter: 'a', user: 'ann' }] },
    })
    expect(passwords).toBe(`ann:${encoded}\n`)
  })

  test('at the listener it stands at, with settings of their own', () => {
    written(tree)
    const { values } = configured(
      ...['per_listener_settings true', 'listener 1884', ...plugin, 'listener 1885', 'allow_anonymous true'],
    )
    expect(values.listeners).toMatchObject([{ auth: {}, acl: {} }, { allowAnonymous: true }])
    expect(values).not.toHaveProperty('auth')
  })

  test('one that is not here: nobody may do anything until it is', () => {
    const { values, untranslated } = configured(
      ...['allow_anonymous true', 'listener 1884', plugin[0]!, 'plugin_opt_config_file /nowhere.json'],
    )
    expect(values.acl).toEqual({ rules: [] })
    expect(untranslated.map(({ why }) => why)).toContainEqual(expect.stringMatching(/^\/nowhere\.json is not here/))
  })
})

test.each([
  ['{', /it is no JSON/],
  ['{"clients": {}}', /clients is no list/],
])('%s is refused', (text, why) => {
  writeFileSync(file, text)
  expect(() => importMosquitto(file)).toThrow(why)
})
