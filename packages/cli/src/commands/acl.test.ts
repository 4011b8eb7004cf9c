// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of access rules are written so
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-acl-'))
afterAll(() => rmSync(home, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(home, name)
  writeFileSync(path, text)
  return path
}

async function explained(acl: string, ...args: readonly string[]) {
  const terminal = new TestTerminal()
  const code = await terminal.run('acl', 'explain', '--acl', acl, ...args)
  const short = (text: string): string => text.replaceAll(`${home}/`, '').trim()
  return { code, said: short(terminal.output), problem: short(terminal.errors) }
}

const ours = file(
  'rules.yaml',
  `rules:
  - deny: publish
    filter: home/\${username}/door
  - allow: [publish, subscribe]
    filter: home/\${username}/#
  # by token
  - { allow: subscribe, filter: '\${claim.site}/#', user: [alice, bob] }
`,
)
const mosquitto = file('acl', 'topic read news/#\n\nuser alice\ntopic write out/#\n\npattern readwrite c/%c/#\n')

describe('acl explain', () => {
  test.each([
    [ours, '--user alice --publish home/alice/door', 1, 'denied by rules.yaml:2:5: deny publish home/${username}/door'],
    [
      ours,
      '--user alice --publish home/alice/x',
      0,
      'allowed by rules.yaml:4:5: allow publish, subscribe home/${username}/#',
    ],
    [ours, '--user alice --subscribe home/#', 1, 'denied: no rule of rules.yaml allows it'],
    [
      ours,
      '--user alice --subscribe $share/g/home/alice/+',
      0,
      'allowed by rules.yaml:4:5: allow publish, subscribe home/${username}/#',
    ],
    [ours, '--user + --publish home/+', 1, undefined],
    [
      ours,
      '--user alice --claim site=berlin --receive berlin/door',
      0,
      'allowed by rules.yaml:7:5: allow subscribe ${claim.site}/# for the user alice, bob',
    ],
    [
      mosquitto,
      '--subscribe news/#',
      0,
      'allowed by acl:1: allow subscribe, receive news/# for clients without a user name',
    ],
    [mosquitto, '--user alice --publish out/x', 0, 'allowed by acl:4: allow publish out/# for the user alice'],
    [
      mosquitto,
      '--client c1 --publish c/c1/x',
      0,
      'allowed by acl:6: allow publish, subscribe, receive c/${clientId}/#',
    ],
    [mosquitto, '--client c2 --publish c/c1/x', 1, 'denied: no rule of acl allows it'],
  ])('%s %s', async (acl, line, code, said) => {
    const answer = await explained(acl, ...line.split(' '))
    if (said === undefined)
      expect(answer).toMatchObject({ code, said: '', problem: expect.stringContaining('it takes a topic name') })
    else expect(answer).toEqual({ code, said, problem: '' })
  })

  test('finds the rules in a configuration of the broker', async () => {
    const config = file('godwit.yaml', 'data: memory\nacl:\n  rules:\n    - allow: publish\n      filter: a\n')
    expect(await explained(config, '--publish', 'a')).toMatchObject({
      code: 0,
      said: 'allowed by godwit.yaml:4:7: allow publish a',
    })
  })

  test.each([
    [
      file('bad.yaml', 'rules:\n  - allow: publish\n  - allow: fly\n    filter: a\n'),
      'bad.yaml:2:5: filter is undefined; it takes a topic filter',
    ],
    [file('list.yaml', 'rules: a\n'), 'list.yaml:1:1: access rules are a list'],
    [file('broken.yaml', 'rules: [\n'), 'broken.yaml:2:1: '],
    [file('bad', 'user a\ntopic read a/#/b\n'), "bad:2: 'a/#/b' is no topic filter"],
    [join(home, 'none'), 'cannot read the access rules none: no such file or folder'],
  ])('%s is told by its line', async (acl, problem) => {
    const answer = await explained(acl, '--publish', 'a')
    expect(answer).toMatchObject({ code: 1, said: '' })
    expect(answer.problem).toMatch(`godwit acl: ${problem}`)
  })

  test.each([
    [[], 'say one of --publish, --subscribe and --receive'],
    [['--publish', 'a', '--receive', 'a'], 'say one of --publish, --subscribe and --receive'],
    [['--publish', 'a/#'], "--publish is 'a/#'; it takes a topic name; see godwit acl explain --help"],
    [['--claim', 'x'], "--claim is 'x'; it takes NAME=VALUE; see godwit acl explain --help"],
  ])('%j: %s', async (args, problem) => {
    expect(await explained(ours, ...args)).toEqual({ code: 1, said: '', problem: `godwit acl: ${problem}` })
  })

  test('--help has examples', async () => {
    const terminal = new TestTerminal()
    expect(await terminal.run('acl', '--help')).toBe(0)
    expect(terminal.output).toMatch(/Usage: godwit acl explain.*Examples:\n {2}godwit acl explain/s)
  })
})

describe('acl explain --config', () => {
  const asked = async (...args: readonly string[]) => {
    const terminal = new TestTerminal()
    const code = await terminal.run('acl', 'explain', ...args)
    return { code, said: `${terminal.output}${terminal.errors}`.replaceAll(`${home}/`, '').trim() }
  }
  const config = file(
    'whole.yaml',
    `acl:
  rules:
    - { allow: publish, filter: 'home/\${username}' }
listeners:
  - port: 1
  - port: 2
    acl: { file: ${mosquitto} }
`,
  )

  test('asks the rules that stand in the configuration, with their places', async () => {
    expect(await asked('--config', config, '--user', 'alice', '--publish', 'home/alice')).toEqual({
      code: 0,
      said: 'allowed by whole.yaml:3:7: allow publish home/${username}',
    })
    expect(await asked('--config', config, '--publish', 'x')).toEqual({
      code: 1,
      said: 'denied: no rule of whole.yaml allows it',
    })
  })

  test('asks those of a listener', async () => {
    const wish = ['--config', config, '--subscribe', 'news/#']
    expect((await asked(...wish, '--listener', '0')).said).toBe('denied: no rule of whole.yaml allows it')
    expect((await asked(...wish, '--listener', '1')).said).toMatch(/^allowed by acl:1: /)
    expect((await asked(...wish, '--listener', '2')).said).toBe(
      'godwit acl: --listener is 2; the configuration has listeners 0 to 1',
    )
  })

  test('says where there are no rules, and that they must be named', async () => {
    expect(await asked('--config', file('open.yaml', 'data: memory\n'), '--publish', 'x')).toEqual({
      code: 0,
      said: 'allowed: open.yaml has no access rules',
    })
    expect((await asked('--publish', 'x')).said).toBe(
      'godwit acl: say where the rules are: --config FILE, or --acl FILE',
    )
    expect((await asked('--acl', mosquitto, '--config', config, '--publish', 'x')).said).toBe(
      'godwit acl: --acl names the rules; leave out --config and --listener',
    )
  })
})
