import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const command = fileURLToPath(new URL('../bin/godwit.js', import.meta.url))
/** What a process sees of its Node, before it loads anything else. */
const claims = (version: string): string =>
  `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`

it.each(['18.19.0', '20.18.3'])('on Node %s it says in one line what it needs, and ends with 1', (version) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', claims(version), command, 'broker', '--port', '0', '--data', 'memory'],
    { encoding: 'utf8' },
  )
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: `godwit: this is Node ${version}, and godwit needs 20.19 or newer; install it from https://nodejs.org\n`,
  })
})
