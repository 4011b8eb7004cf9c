// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of access rules are written so
import { matchesFilter } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClientInfo } from '../hooks/client-info.js'
import { type AccessAction, type AccessRule, parseAccessRules } from './access-rule.js'
import { accessRules } from './access-rules.js'
import type { RuleSubject } from './client-rules.js'

const alice: RuleSubject & ClientInfo = {
  clientId: 'c1',
  username: 'alice',
  address: '',
  version: 5,
  cleanStart: true,
  identity: { claims: { site: 'berlin', level: 3, 'https://example.org/team': 'red', evil: '+', list: ['x'] } },
}
const anybody: AccessRule = { allow: ['publish', 'subscribe'], filter: 'open/#' }

/** `+` and `-`: what the rules say of wishes such as `publish a/b`. */
function said(rules: readonly AccessRule[], client: typeof alice, ...wishes: readonly string[]): string {
  const engine = accessRules(rules)
  return wishes
    .map((wish) => {
      const [action, topic = ''] = wish.split(' ') as [AccessAction, string]
      const allowed = engine.authorize({ action, client, topic })
      expect(engine.explain({ action, client, topic }).allowed).toBe(allowed)
      return allowed ? '+' : '-'
    })
    .join('')
}

describe('rules', () => {
  it('deny what none of them allows', () => {
    expect(said([], alice, 'publish a', 'subscribe a', 'receive a')).toBe('---')
    expect(said([anybody], alice, 'publish open/a', 'publish a', 'subscribe open/a', 'subscribe a')).toBe('+-+-')
  })

  it('are asked in order: the first that applies decides', () => {
    const rules: AccessRule[] = [{ deny: 'publish', filter: 'open/secret' }, anybody, { deny: 'publish', filter: '#' }]
    expect(said(rules, alice, 'publish open/secret', 'publish open/x', 'subscribe open/secret')).toBe('-++')
  })

  it('may be for some users, some clients, or those without a user name', () => {
    const { username: _, ...rest } = alice
    const nobody = { ...rest, username: undefined }
    expect(said([{ ...anybody, user: ['bob', 'alice'] }], alice, 'publish open/a')).toBe('+')
    expect(said([{ ...anybody, user: 'bob' }], alice, 'publish open/a')).toBe('-')
    expect(said([{ ...anybody, user: 'bob' }], nobody, 'publish open/a')).toBe('-')
    expect(said([{ ...anybody, client: 'c1' }], alice, 'publish open/a')).toBe('+')
    expect(said([{ ...anybody, client: 'c2' }], alice, 'publish open/a')).toBe('-')
    expect(said([{ ...anybody, anonymous: true }], alice, 'publish open/a')).toBe('-')
    expect(said([{ ...anybody, anonymous: true }], nobody, 'publish open/a')).toBe('+')
  })

  it('grant a filter only as a whole', () => {
    const rules: AccessRule[] = [{ allow: 'subscribe', filter: 'a/+' }]
    expect(said(rules, alice, 'subscribe a/b', 'subscribe a/+', 'subscribe a/#', 'subscribe +/b', 'subscribe #')).toBe(
      '++---',
    )
    const pierced: AccessRule[] = [{ deny: 'subscribe', filter: 'a/secret' }, ...rules]
    expect(said(pierced, alice, 'subscribe a/b', 'subscribe a/+', 'subscribe a/secret')).toBe('+--')
  })

  it('that speak of receive take single messages out of a subscription that is granted', () => {
    const rules: AccessRule[] = [
      { deny: 'receive', filter: 'a/secret' },
      { allow: 'subscribe', filter: 'a/#' },
    ]
    expect(said(rules, alice, 'subscribe a/#', 'receive a/b', 'receive a/secret', 'receive b')).toBe('++--')
  })

  it('do not reach topics under $ by a wildcard in front [MQTT-4.7.2-1]', () => {
    const rules: AccessRule[] = [{ allow: ['publish', 'subscribe'], filter: '#' }]
    expect(said(rules, alice, 'subscribe #', 'subscribe $SYS/#', 'receive $SYS/broker/uptime')).toBe('+--')
  })

  it.each([
    ['u/${username}/x', 'u/alice/x'],
    ['c/${clientId}/x', 'c/c1/x'],
    ['s/${claim.site}/x', 's/berlin/x'],
    ['l/level-${claim.level}/x', 'l/level-3/x'],
    ['t/${claim.https://example.org/team}/x', 't/red/x'],
    ['${username}/x', 'alice/x'],
  ])('put the client in the place of %s', (filter, topic) => {
    const rules: AccessRule[] = [{ allow: ['publish', 'subscribe'], filter }]
    expect(said(rules, alice, `publish ${topic}`, `subscribe ${topic}`, 'publish u/bob/x', 'subscribe #')).toBe('++--')
  })

  it.each(['+', '#', 'a/b', 'a+', '/', '', '$SYS'])('are not widened by the user name %j', (username) => {
    const client = { ...alice, username }
    const own: AccessRule[] = [{ allow: ['publish', 'subscribe'], filter: '${username}/#' }]
    expect(said(own, client, 'publish a/b', 'subscribe +/#', 'subscribe #', 'subscribe $SYS/#', 'publish /')).toBe(
      '-----',
    )
    const not: AccessRule[] = [
      { deny: 'publish', filter: 'x/${username}/#' },
      { allow: 'publish', filter: '#' },
    ]
    expect(said(not, client, `publish x/${username.replaceAll(/[+#]/g, '')}/y`, 'publish y')).toBe('-+')
  })

  it.each(['evil', 'list', 'none', 'toString'])(
    'that need the claim %s are not for a client without a usable one',
    (claim) => {
      expect(
        said([{ allow: 'publish', filter: `x/\${claim.${claim}}/#` }], alice, 'publish x/a/b', 'publish x/+'),
      ).toBe('--')
    },
  )

  it('are replaced for everybody at once, or stay', () => {
    const engine = accessRules([anybody])
    const wish = { action: 'publish', client: alice, topic: 'open/x' } as const
    expect(engine.authorize(wish)).toBe(true)
    expect(() => engine.replace([{ filter: 'a' }])).toThrow('access rule 1: an access rule has either allow or deny')
    expect(engine.authorize(wish)).toBe(true)
    engine.replace([])
    expect(engine.authorize(wish)).toBe(false)
  })

  it('say which of them decides', () => {
    const [first, second] = parseAccessRules(
      [
        { deny: 'publish', filter: 'a' },
        { allow: 'publish', filter: '#' },
      ],
      (at) => `acl.yaml:${at + 3}`,
    )
    const engine = accessRules([first!, second!])
    const explained = (topic: string) => engine.explain({ action: 'publish', client: alice, topic })
    expect(explained('a')).toEqual({ allowed: false, rule: { deny: 'publish', filter: 'a', where: 'acl.yaml:3' } })
    expect(explained('b')).toMatchObject({ allowed: true, rule: { where: 'acl.yaml:4' } })
    expect(explained('$b')).toEqual({ allowed: false, rule: undefined })
  })
})

describe('parseAccessRules', () => {
  it.each([
    [{}, "f:1: access rules are a list, such as [{ allow: publish, filter: 'a/#' }]"],
    [['a'], "f:1: an access rule is an object, such as { allow: publish, filter: 'a/#' }"],
    [[{ allow: 'publish', deny: 'publish', filter: 'a' }], 'f:1: an access rule has either allow or deny'],
    [[{ allow: 'read', filter: 'a' }], 'f:1: allow is "read"; it takes publish, subscribe, receive, or a list of them'],
    [[{ allow: [], filter: 'a' }], 'f:1: allow is []; it takes publish, subscribe, receive, or a list of them'],
    [
      [{ allow: 'publish', topic: 'a' }],
      "f:1: an access rule has no key 'topic'; it takes allow, deny, filter, user, client, anonymous",
    ],
    [
      [{ allow: 'publish', filter: 'a/#/b' }],
      'f:1: filter is "a/#/b"; it takes a topic filter, with ${username}, ${clientId} or ${claim.NAME}',
    ],
    [
      [{ allow: 'publish', filter: 'a/${user}' }],
      'f:1: filter is "a/${user}"; it takes a topic filter, with ${username}, ${clientId} or ${claim.NAME}',
    ],
    [[{ allow: 'publish', filter: '$share/g/a' }], 'f:1: filter is "$share/g/a"; it takes'],
    [[{ allow: 'publish', filter: 'a', user: 5 }], 'f:1: user is 5; it takes a name in quotes, or a list of them'],
    [
      [{ allow: 'publish', filter: 'a', user: null }],
      'f:1: user is null; it takes a name in quotes, or a list of them',
    ],
    [[{ allow: 'publish', filter: 'a', user: 'u', anonymous: true }], 'f:1: a rule for anonymous clients has no user'],
    [[{ allow: 'publish', filter: 'a', anonymous: 1 }], 'f:1: anonymous takes true or false'],
  ])('%j', (value, problem) => {
    expect(() => parseAccessRules(value, (at) => `f:${at + 1}`)).toThrow(problem)
  })
})

// ---- against a plain model: one rule after another, one topic after another

describe('which filters a rule about subscriptions decides on', () => {
  const rest: AccessRule = { allow: 'subscribe', filter: '#' }
  const ask = (rule: AccessRule, ...filters: readonly string[]) =>
    said([rule, rest], alice, ...filters.map((filter) => `subscribe ${filter}`))

  it('one that denies: all that it touches; `within`: what matches nothing beyond it; `exact`: its own letters', () => {
    const filters = ['a/#', 'a/b', 'a/+', 'a', '#', 'c']
    expect(ask({ deny: 'subscribe', filter: 'a/#' }, ...filters)).toBe('-----+')
    expect(ask({ deny: 'subscribe', filter: 'a/#', matching: 'within' }, ...filters)).toBe('----++')
    expect(ask({ deny: 'subscribe', filter: 'a/#', matching: 'exact' }, ...filters)).toBe('-+++++')
    expect(ask({ deny: 'subscribe', filter: '#', matching: 'wildcard' }, ...filters)).toBe('-+-+-+')
  })

  it('one that allows', () => {
    const only = (matching: AccessRule['matching']) =>
      said(
        [{ allow: 'subscribe', filter: 'a/#', ...(matching && { matching }) }],
        alice,
        'subscribe a/#',
        'subscribe a/b',
      )
    expect([only(undefined), only('within'), only('exact'), only('wildcard')]).toEqual(['++', '++', '+-', '+-'])
  })

  it('it says nothing of deliveries then', () => {
    expect(said([{ deny: 'subscribe', filter: 'a', matching: 'exact' }, rest], alice, 'receive a')).toBe('+')
    expect(said([{ allow: 'subscribe', filter: 'a', matching: 'exact' }], alice, 'receive a')).toBe('-')
  })

  it('it is for `subscribe` alone, and takes three words', () => {
    const rule = (more: object) => () => parseAccessRules([{ filter: 'a', ...more }], () => 'rules:1')
    expect(rule({ allow: 'subscribe', matching: 'most' })).toThrow(
      'rules:1: matching is "most"; it takes within, wildcard, exact',
    )
    expect(rule({ allow: ['subscribe', 'receive'], matching: 'exact' })).toThrow(
      'rules:1: matching is for a rule of subscribe alone',
    )
  })
})

const levels = ['a', 'b', 'c']
const topics = [1, 2, 3].flatMap((depth) =>
  Array.from({ length: levels.length ** depth }, (_, n) =>
    Array.from({ length: depth }, (_, at) => levels[Math.floor(n / levels.length ** at) % levels.length]!).join('/'),
  ),
)
const filters = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '+'), { minLength: 1, maxLength: 2 }), fc.boolean())
  .map(([parts, rest]) => [...parts, ...(rest ? ['#'] : [])].join('/'))
const actionLists = fc.subarray<AccessAction>(['publish', 'subscribe', 'receive'], { minLength: 1 })
const someRule = fc
  .tuple(fc.boolean(), actionLists, filters, fc.constantFrom('alice', 'bob', undefined))
  .map(([allows, list, filter, user]): AccessRule => {
    return { ...(allows ? { allow: list } : { deny: list }), filter, ...(user !== undefined && { user }) }
  })

function allowedByModel(rules: readonly AccessRule[], action: AccessAction, topic: string): boolean {
  for (const { allow, deny, filter, user } of rules) {
    const about = [allow ?? deny ?? []].flat()
    const isAbout = about.includes(action) || (action === 'receive' && about.includes('subscribe'))
    if (isAbout && (user === undefined || user === alice.username) && matchesFilter(filter, topic))
      return allow !== undefined
  }
  return false
}

describe('against a plain model', () => {
  it('publish and receive are decided topic by topic', () => {
    fc.assert(
      fc.property(fc.array(someRule, { maxLength: 8 }), fc.constantFrom('publish', 'receive'), (rules, action) => {
        const engine = accessRules(rules)
        for (const topic of [...topics, ...topics.slice(0, 9)]) {
          expect(engine.authorize({ action, client: alice, topic })).toBe(allowedByModel(rules, action, topic))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('a filter that is granted matches no topic that is not', () => {
    fc.assert(
      fc.property(fc.array(someRule, { maxLength: 8 }), filters, (rules, filter) => {
        const granted = accessRules(rules).authorize({ action: 'subscribe', client: alice, topic: filter })
        const matched = topics.filter((topic) => matchesFilter(filter, topic))
        if (granted) expect(matched.filter((topic) => !allowedByModel(rules, 'subscribe', topic))).toEqual([])
        if (rules.length === 1 && !granted && !filter.includes('+')) {
          expect(matched.length === 0 || matched.some((topic) => !allowedByModel(rules, 'subscribe', topic))).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})
