import { expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'

async function ran(...args: string[]) {
  const terminal = new TestTerminal()
  return { code: await terminal.run('conform', ...args), output: terminal.output, errors: terminal.errors }
}

test.each([
  [
    ['--client', 'godwit-has-no-such-command {url}'],
    /^godwit conform: 'godwit-has-no-such-command \{url\}' did not connect to us: it ended with exit code 127: .*not found; it has the server as \{url\} and as MQTT_CONFORM_URL\n$/,
  ],
  [['--client', 'exit 0'], /^godwit conform: 'exit 0' did not connect to us: it ended with exit code 0; .*\n$/],
  [['--client', 'exit 0', '--only', '3.9'], /^godwit conform: no check is called 3\.9; see .*\n$/],
  [
    ['mqtt://127.0.0.1', '--client', 'exit 0'],
    /^godwit conform: a URL names a server, --client a client: one of them; /,
  ],
])('godwit conform %j: one line and exit code 1', async (args, line) => {
  const { code, output, errors } = await ran(...args)
  expect([code, output]).toEqual([1, ''])
  expect(errors).toMatch(line)
})

test('--help lists what a client is asked to do', async () => {
  const { code, output } = await ran('--help')
  expect(code).toBe(0)
  expect(output).toMatch(/\n {2}publish-1 {2,}with a session that is kept, reconnecting: publish several\n/)
})
