import { execFileSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import { TestTerminal } from '../test/test-terminal.js'
import { commands } from './commands.js'
import { manPage } from './man-page.js'

function has(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function script(shell: string): Promise<string> {
  const terminal = new TestTerminal()
  expect(await terminal.run('completion', shell)).toBe(0)
  return terminal.output
}

describe('bash', () => {
  let text: string
  beforeAll(async () => {
    text = await script('bash')
  }, 60_000) // it loads every command

  test.skipIf(!has('bash')).each([
    [['con'], ['config', 'console', 'conform']],
    [
      ['sub', '--ret'],
      ['--retained-only', '--retain-as-published', '--retain-handling'],
    ],
    [
      ['sub', '--as', ''],
      ['json', 'hex', 'msgpack', 'cbor', 'text', 'raw'],
    ],
    [
      ['pub', '-q', ''],
      ['0', '1', '2'],
    ],
    [['config', 'im'], ['import']],
    [['config', 'import', '--st'], ['--strict']],
    [['acl', 'ex'], ['explain']],
    [['acl', 'explain', '--pub'], ['--publish']],
    [['help', 'brok'], ['broker']],
    [['sub', '@p'], ['@plant']],
  ])('godwit %j', (words, expected) => {
    const typed = ['godwit', ...words].map((word) => `'${word}'`).join(' ')
    const played = `godwit() { echo @plant; }
${text}
COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _godwit; printf '%s\\n' "\${COMPREPLY[@]}"`
    expect(execFileSync('bash', ['-c', played]).toString().trim().split('\n')).toEqual(expected)
  })
})

test.skipIf(!has('zsh'))('zsh reads its script (skipped where there is no zsh)', async () => {
  execFileSync('zsh', ['-n'], { input: await script('zsh') })
})

test.skipIf(!has('fish'))('fish completes (skipped where there is no fish)', async () => {
  const asked = `function godwit; end\n${await script('fish')}\ncomplete -C 'godwit sub --retain-h'`
  expect(execFileSync('fish', ['-c', asked], { stdio: 'pipe' }).toString()).toMatch(/^--retain-handling\t/)
})

test('every option of every command is in every script', async () => {
  const scripts = await Promise.all(['bash', 'zsh', 'fish'].map(script))
  for (const { load } of Object.values(commands)) {
    for (const line of (await load()).lines()) {
      for (const { long } of line.options) {
        for (const text of scripts) expect(text).toContain(long!.replace('--', ''))
      }
    }
  }
})

test.skipIf(!has('groff'))(
  'groff takes every manual page without a warning (skipped where there is no groff)',
  async () => {
    for (const { load } of Object.values(commands)) {
      for (const line of (await load()).lines()) {
        const warnings = execFileSync('sh', ['-c', 'groff -man -ww -Tutf8 2>&1 >/dev/null'], { input: manPage(line) })
        expect(warnings.toString(), line.manual.name).toBe('')
      }
    }
  },
)
