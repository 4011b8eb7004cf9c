// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of access rules are written so
import { describe, expect, it } from 'vitest'
import type { AccessAction } from './access-rule.js'
import { accessRules } from './access-rules.js'
import { mosquittoAcl } from './mosquitto-acl.js'

const file = `# as in mosquitto's manual
topic read news/#

user roger
topic foo/bar
topic write out/#
topic read $SYS/#
topic deny foo/bar/secret
topic readwrite foo/#
topic readwrite a topic with spaces

user maggie
topic subscribe s/+

# this only affects clients with a user name
pattern readwrite users/%u/#
pattern write $SYS/broker/connection/%c/state
pattern deny users/%u/deep
`

const engine = accessRules(mosquittoAcl(file, 'acl'))

function asked(username: string | undefined, clientId: string, wish: string): string {
  const [action, ...topic] = wish.split(' ')
  const { allowed, rule } = engine.explain({
    action: action as AccessAction,
    client: { clientId, username },
    topic: topic.join(' '),
  })
  return `${allowed ? 'yes' : 'no'}${rule ? ` ${rule.where}` : ''}`
}

describe("mosquitto's acl_file", () => {
  it.each([
    [undefined, 'subscribe news/#', 'yes acl:2'],
    [undefined, 'publish news/x', 'no'],
    ['roger', 'subscribe news/#', 'no'], // the first lines are for clients without a user name
    ['roger', 'publish foo/bar', 'yes acl:5'],
    ['roger', 'receive foo/bar', 'yes acl:5'],
    ['roger', 'publish out/x', 'yes acl:6'],
    ['roger', 'subscribe out/x', 'no'],
    ['roger', 'subscribe $SYS/broker/uptime', 'yes acl:7'],
    ['roger', 'publish foo/bar/secret', 'no acl:8'],
    ['roger', 'publish foo/other', 'yes acl:9'],
    ['roger', 'publish a topic with spaces', 'yes acl:10'],
    ['maggie', 'subscribe s/x', 'yes acl:13'],
    ['maggie', 'publish foo/bar', 'no'],
    ['maggie', 'publish users/maggie/x', 'yes acl:16'],
    ['maggie', 'publish users/maggie/deep', 'no acl:18'],
    ['maggie', 'publish users/roger/x', 'no'],
    ['maggie', 'publish $SYS/broker/connection/id/state', 'yes acl:17'],
    ['#', 'publish users/maggie/x', 'no acl:18'], // a name that would be a wildcard: refused as far as it may reach
  ])('%s: %s: %s', (username, wish, answer) => {
    expect(asked(username, 'id', wish)).toBe(answer)
  })

  it('what mosquitto takes, and means nothing or more than it seems, is told by its line', () => {
    const warnings: string[] = []
    const text = 'topic read $share/g/a/#\ntopic deny $share/#\npattern read b/#\ntopic write c\n'
    const rules = mosquittoAcl(text, 'acl', (warning) => warnings.push(warning))
    expect(rules.map(({ filter, where }) => [filter, where])).toEqual([
      ['c', 'acl:4'],
      ['b/#', 'acl:3'],
    ])
    expect(warnings).toEqual([
      expect.stringMatching(/^acl:1: a line about \$share\/… means nothing, as in mosquitto/),
      expect.stringMatching(/^acl:2: /),
      'acl:3: the pattern has no %c and no %u: it is for everybody',
    ])
  })

  it.each([
    ['topics a', "acl:1: 'topics' begins no line of an acl_file; it takes user, topic and pattern"],
    ['user', "acl:1: 'user' begins no line of an acl_file; it takes user, topic and pattern"],
    [
      '\ntopic read a/#/b',
      "acl:2: 'a/#/b' is no topic filter; the form is topic [read|write|readwrite|subscribe|deny] FILTER",
    ],
    ['topic deney home/secret/#', "acl:1: 'deney' is no access; it takes read, write, readwrite, subscribe, deny"],
    ['pattern reed %u/#', "acl:1: 'reed' is no access"],
    ['topic a/${username}', "acl:1: 'a/${username}' is no topic filter"],
  ])('%j is refused', (text, problem) => {
    expect(() => mosquittoAcl(text, 'acl')).toThrow(problem)
  })
})
