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

test("rules in mosquitto's form are listed, and edited by hand", async () => {
  const rules = rulesIn('acl', 'user alice\ntopic read home/#\n')
  expect((await rules.list()).rules).toMatchObject([{ user: 'alice', filter: 'home/#' }])
  await expect(rules.add(added)).rejects.toThrow(/is mosquitto's acl_file, whose order means something else/)
})
