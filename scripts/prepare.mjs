// What `npm start` and `npm test` need before they can begin: dependencies as locked, and a build as new as the sources.
// It runs on a fresh clone, so it imports nothing but Node itself.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const hiddenLock = join(root, 'node_modules/.package-lock.json')
const buildStamp = join(root, 'node_modules/.godwit-build')

/** A failure to be shown to a person as one line, without a stack. */
export class PrepareError extends Error {}

/** Installs and builds what is missing or out of date; a few milliseconds when nothing is. */
export async function prepare() {
  requireNode(process.versions.node)
  if (!isInstalled()) await install()
  const sources = fingerprint()
  if (!isBuilt(sources)) await build(sources)
}

/**
 * Runs the part of a script that may fail for reasons a person can act on, and says them in one line.
 * @param {() => Promise<void>} main
 */
export async function report(main) {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error
    console.error(`godwit: ${error.message}`)
    process.exitCode = 1
  }
}

/**
 * Runs a command to its end. Signals that ask this process to stop are passed on, so that none outlives it.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ quiet?: boolean }} [options] `quiet` keeps the output for the caller.
 * @returns {Promise<{ code: number, output: string }>} `code` is 128 + the signal's number when a signal ended it.
 */
export function run(command, args, { quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' })
    let output = ''
    child.stdout?.on('data', (chunk) => (output += chunk))
    child.stderr?.on('data', (chunk) => (output += chunk))
    const interrupt = () => child.kill('SIGINT')
    const terminate = () => child.kill('SIGTERM')
    process.on('SIGINT', interrupt).on('SIGTERM', terminate)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.off('SIGINT', interrupt).off('SIGTERM', terminate)
      resolve({ code: signal ? 128 + constants.signals[signal] : (code ?? 1), output })
    })
  })
}

/** @param {string} version */
export function requireNode(version) {
  const wanted = /(\d+)\.(\d+)/.exec(readJson('package.json').engines.node) ?? []
  const [wantedMajor = 0, wantedMinor = 0] = wanted.slice(1).map(Number)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return
  throw new PrepareError(
    `this is Node ${version}, and Godwit needs ${wantedMajor}.${wantedMinor} or newer: install it from https://nodejs.org`,
  )
}

/**
 * Whether node_modules holds what the lock file asks for: npm writes there what it installed.
 * Optional packages (other platforms' binaries) may be absent.
 */
function isInstalled() {
  if (!existsSync(hiddenLock)) return false
  const wanted = readJson('package-lock.json').packages
  const present = readJson('node_modules/.package-lock.json').packages
  return Object.keys(wanted).every((path) => {
    if (path === '' || (wanted[path].optional && !present[path])) return true
    return present[path]?.version === wanted[path].version && present[path]?.integrity === wanted[path].integrity
  })
}

/** Without a network npm would go on trying for minutes. */
const npmOptions = ['--no-audit', '--no-fund', '--fetch-retries=1', '--fetch-retry-mintimeout=1000']

async function install() {
  console.error('godwit: installing…')
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm']
  const [command = 'npm', ...first] = npm
  const { code, output } = await run(command, [...first, 'ci', ...npmOptions], { quiet: true })
  if (code === 0) return
  if (code > 128) process.exit(code)
  throw new PrepareError(installFailure(output))
}

/**
 * What to tell about a failed `npm ci`, from what npm printed.
 * @param {string} output
 */
export function installFailure(output) {
  const errors = output.split('\n').filter((line) => line.startsWith('npm error'))
  const unreachable = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT)\b/.exec(
    output,
  )
  if (unreachable) {
    return `npm could not reach its registry (${unreachable[1]}): connect to the network, or set a mirror with 'npm config set registry', then run this again`
  }
  const reason = errors[0]?.replace('npm error ', '') ?? output.trim().split('\n').at(-1) ?? ''
  return `npm ci failed (${reason}): run 'npm ci' to see all of its output`
}

/** Name, size and time of every file that the build reads, as one hash. */
function fingerprint() {
  const hash = createHash('sha1')
  /** @param {string} path */
  const add = (path) => {
    const { size, mtimeMs } = statSync(join(root, path))
    hash.update(`${path}\0${size}\0${mtimeMs}\n`)
  }
  for (const path of ['package-lock.json', 'tsconfig.json', 'tsconfig.base.json']) add(path)
  for (const folder of packageFolders()) {
    for (const path of [`${folder}/package.json`, `${folder}/tsconfig.json`]) add(path)
    const sources = readdirSync(join(root, folder, 'src'), { recursive: true, withFileTypes: true })
    for (const entry of sources) if (entry.isFile()) add(join(entry.parentPath, entry.name).slice(root.length + 1))
  }
  return hash.digest('hex')
}

/** @param {string} sources */
function isBuilt(sources) {
  if (!existsSync(buildStamp) || readFileSync(buildStamp, 'utf8') !== sources) return false
  return packageFolders().every((folder) => existsSync(join(root, folder, 'dist/.tsbuildinfo')))
}

/** @param {string} sources */
async function build(sources) {
  console.error('godwit: building…')
  const { code, output } = await run(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { quiet: true })
  if (code > 128) process.exit(code)
  if (code !== 0) throw new PrepareError(`the build failed (tsc -b)\n${output.trimEnd()}`)
  for (const script of ['scripts/bundle.mjs', 'scripts/console-page.mjs', 'scripts/man-pages.mjs']) {
    const made = await run(process.execPath, [script], { quiet: true })
    if (made.code !== 0) throw new PrepareError(`the build failed (${script})\n${made.output.trimEnd()}`)
  }
  mkdirSync(dirname(buildStamp), { recursive: true })
  writeFileSync(buildStamp, sources)
}

/** The folders of the workspace's packages, such as `packages/broker`. */
export function packageFolders() {
  return readdirSync(join(root, 'packages'))
    .map((name) => `packages/${name}`)
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
}

/**
 * A JSON file of the repository.
 * @param {string} path from the root.
 */
export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}
