// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of access rules are written so
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EditConflict, NotEditable, NotThere, type Rule, Unacceptable } from '@godwit/admin/parts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EditedFile } from './edited-file.js'
import { RulesEditor } from './rules-editor.js'

let home: string
let path: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'godwit-rules-'))
})
afterEach(() => rmSync(home, { recursive: true }))

function rulesIn(name: string, content: string): RulesEditor {
  path = join(home, name)
  writeFileSync(path, content)
  return new RulesEditor(new EditedFile(path, async () => {}))
}

const text = (): string => readFileSync(path, 'utf8')

const ours = `# who may do what
rules:
  # Alice and her house
  - { allow: publish, filter: 'home/\${username}/#', user: alice } # since May
  - allow: subscribe # all of it
    filter: 'home/#'

  # nobody else
  - { deny: [publish, subscribe], filter: '#' }
# the end
`
const added: Rule = { allow: ['publish', 'receive'], filter: 'x/+/"y": z', client: ["o'neill"] }

describe('rules in our form', () => {
  test('are listed with the place where they stand', async () => {
    const { rules } = await rulesIn('rules.yaml', ours).list()
    expect(rules.map(({ where, filter }) => `${where?.replace(path, '')} ${filter}`)).toEqual([
      `:4:5 home/\${username}/#`,
      ':5:5 home/#',
      ':9:5 #',
    ])
  })

  test('are added, changed, moved and removed; remarks stay', async () => {
    const rules = rulesIn('rules.yaml', ours)
    expect(await rules.add(added)).toMatchObject({ at: 3 })
    expect(text()).toBe(
      ours
        .replace(
          '# the end',
          `  - { allow: [ publish, receive ], filter: 'x/+/"y": z', client: [ o'neill ] }\n\n# the end`,
        )
        .replace("{ deny: [publish, subscribe], filter: '#' }", "{ deny: [ publish, subscribe ], filter: '#' }"),
    )
    await rules.remove(3)
    await rules.add({ deny: 'publish', filter: 'a' }, { at: 0 })
    await rules.change(0, { allow: 'publish', filter: 'b' })
    await rules.remove(1)
    expect((await rules.list()).rules.map(({ filter }) => filter)).toEqual(['b', 'home/#', '#'])
    for (const remark of ['# who may do what', '# Alice and her house', '# all of it', '# nobody else', '# the end']) {
      expect(text()).toContain(remark)
    }
    await rules.replace([added])
    expect((await rules.list()).rules).toEqual([{ ...added, where: expect.stringContaining('rules.yaml:') }])
  })

  test.each([
    ['rules.yaml', ''],
    ['rules.yaml', '# none yet\n'],
    ['rules.yaml', 'rules:\n'],
    ['rules.yaml', 'rules: []\n'],
    ['rules.yaml', 'acl:\n  rules: []\n'],
    ['rules.yaml', 'rules:\n- { allow: publish, filter: a }\n'],
    ['rules.json', '{}'],
    ['rules.json', '{"rules":[{"allow":"publish","filter":"a"}]}'],
  ])('may stand in %s %j', async (name, content) => {
    const rules = rulesIn(name, content)
    const before = (await rules.list()).rules.length
    await rules.add(added)
    expect((await rules.list()).rules.slice(before)).toMatchObject([added])
    if (name.endsWith('.json')) expect(JSON.parse(text())).toHaveProperty('rules')
    await rules.remove(before)
    expect((await rules.list()).rules).toHaveLength(before)
  })

  test.each<[string, unknown]>([
    ['neither allow nor deny', { filter: 'a' }],
    ['no filter', { allow: 'publish' }],
    ['a filter that is none', { allow: 'publish', filter: 'a/#/b' }],
    ['a key that is none', { allow: 'publish', filter: 'a', users: 'b' }],
  ])('are refused with %s', async (_, rule) => {
    const rules = rulesIn('rules.yaml', ours)
    await expect(rules.add(rule as Rule)).rejects.toThrow(Unacceptable)
    await expect(rules.change(0, rule as Rule)).rejects.toThrow(Unacceptable)
    await expect(rules.replace([rule as Rule])).rejects.toThrow(Unacceptable)
    expect(text()).toBe(ours)
  })

  test('are not there, or at no place', async () => {
    const rules = rulesIn('rules.yaml', ours)
    await expect(rules.remove(3)).rejects.toThrow(NotThere)
    await expect(rules.change(-1, added)).rejects.toThrow(NotThere)
    await expect(rules.add(added, { at: 5 })).rejects.toThrow(Unacceptable)
    expect(text()).toBe(ours)
  })

  test('are read again after an editor who was quicker', async () => {
    const rules = rulesIn('rules.yaml', ours)
    const { etag } = await rules.list()
    writeFileSync(path, `${ours}# more\n`)
    await expect(rules.remove(0, { etag })).rejects.toThrow(EditConflict)
    expect(text()).toBe(`${ours}# more\n`)
  })

  test('that are wrong are put right by hand', async () => {
    await expect(rulesIn('rules.yaml', 'rules: [').list()).rejects.toThrow(NotEditable)
    await expect(rulesIn('rules.yaml', 'rules: [{ allow: fly, filter: a }]').list()).rejects.toThrow(NotEditable)
  })
})

const theirs = `# everybody else
topic read news/#

# Alice and her house
user alice
topic readwrite home/#
topic deny home/my safe
user bob
topic write bob/#

pattern read clients/%c/#
`

describe("rules in mosquitto's acl_file", () => {
  const lines = (): readonly string[] => text().split('\n')

  test('are listed in the order in which they are asked', async () => {
    const { rules } = await rulesIn('acl', theirs).list()
    expect(rules.map(({ where, user, filter }) => `${where?.replace(path, '')} ${user ?? '-'} ${filter}`)).toEqual([
      ':7 alice home/my safe',
      ':2 - news/#',
      ':6 alice home/#',
      ':9 bob bob/#',
      ':11 - clients/${clientId}/#',
    ])
  })

  test.each<[string, Rule, number, string, string]>([
    ['of a user', { allow: 'publish', filter: 'x', user: 'alice' }, 3, 'user bob', 'topic write x'],
    [
      'of another user',
      { allow: ['receive', 'subscribe'], filter: 'x', user: ['carol'] },
      4,
      '',
      'user carol\ntopic read x',
    ],
    ['of those without a name', { allow: 'subscribe', filter: 'x', anonymous: true }, 2, '', 'topic subscribe x'],
    [
      'for everybody',
      { deny: ['publish', 'subscribe', 'receive'], filter: 'x/${username}' },
      4,
      '',
      'pattern deny x/%u',
    ],
  ])('are added: one %s, in its section', async (_, rule, place, behind, line) => {
    const rules = rulesIn('acl', theirs)
    const { at, etag } = await rules.add(rule)
    expect(at).toBe(place)
    expect(text().replace(`${line}\n`, '').trimEnd()).toBe(theirs.trimEnd())
    expect(text()).toContain(`${line}\n${behind}`)
    expect((await rules.list()).rules).toHaveLength(6)
    await rules.remove(place, { etag })
    expect((await rules.list()).rules).toHaveLength(5)
  })

  test('are changed where they stand, and moved when they are for somebody else; all else stays', async () => {
    const rules = rulesIn('acl', theirs.replace('topic write bob', '  topic write bob'))
    expect(
      await rules.change(3, { allow: ['publish', 'subscribe', 'receive'], filter: 'b/#', user: 'bob' }),
    ).toMatchObject({ at: 3 })
    expect(lines()[8]).toBe('  topic readwrite b/#')
    expect(await rules.change(3, { allow: 'publish', filter: 'b/#', anonymous: true })).toMatchObject({ at: 2 })
    expect(lines().slice(0, 5)).toEqual([
      '# everybody else',
      'topic read news/#',
      'topic write b/#',
      '',
      '# Alice and her house',
    ])
    await rules.remove(0)
    await rules.replace([{ allow: 'publish', filter: 'x', user: 'alice' }])
    expect(text()).toBe('# everybody else\n\n# Alice and her house\nuser alice\ntopic write x\nuser bob\n\n')
    expect(readFileSync(`${path}.before`, 'utf8')).toContain('topic readwrite home/#')
  })

  test.each([
    ['', 'topic write x\n'],
    ['# none', '# none\ntopic write x\n'],
    ['\uFEFFuser a\r\ntopic read y\r\n', '\uFEFFtopic write x\r\nuser a\r\ntopic read y\r\n'],
    ['# of a\nuser a\ntopic read y', 'topic write x\n# of a\nuser a\ntopic read y'],
  ])('may stand in %j', async (before, after) => {
    const rules = rulesIn('acl', before)
    await rules.add({ allow: 'publish', filter: 'x', anonymous: true })
    expect(text()).toBe(after)
  })

  test.each<[string, Rule, RegExp]>([
    ['that denies one thing', { deny: 'publish', filter: 'x' }, /or denies all three/],
    ['for a client', { allow: 'publish', filter: 'x', client: 'c' }, /no rule has client/],
    ['for two users', { allow: 'publish', filter: 'x', user: ['a', 'b'] }, /one user: add one for each/],
    ['for a user, with a variable', { allow: 'publish', filter: 'x/${username}', user: 'a' }, /for everybody alone/],
    ['with a claim', { allow: 'publish', filter: 'x/${claim.site}' }, /claims in none/],
    ['whose filter has what stands for the client', { allow: 'publish', filter: 'x/%c' }, /stand for the client/],
    ['of a name with blanks', { allow: 'publish', filter: 'x', user: ' a' }, /no blanks around/],
  ])('are refused %s, in words that say what to do', async (_, rule, why) => {
    const rules = rulesIn('acl', theirs)
    const refused = rules.add(rule)
    await expect(refused).rejects.toThrow(NotEditable)
    await expect(refused).rejects.toThrow(why)
    await expect(refused).rejects.toThrow(/write the rules in godwit's form into a .yaml file/)
    expect(text()).toBe(theirs)
  })

  test('have no line end in them, and no place that is not theirs', async () => {
    const rules = rulesIn('acl', theirs)
    const slip: Rule = { allow: 'publish', filter: 'x', user: 'a\ntopic readwrite #' }
    await expect(rules.add(slip)).rejects.toThrow(Unacceptable)
    const first: Rule = { allow: 'publish', filter: 'x', anonymous: true }
    await expect(rules.add(first, { at: 0 })).rejects.toThrow(/this rule stands at 2: leave at out/)
    expect(text()).toBe(theirs)
    expect(await rules.add(first, { at: 2 })).toMatchObject({ at: 2 })
  })
})
