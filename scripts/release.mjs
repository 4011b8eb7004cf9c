// npm run release [-- --dry-run]: builds, checks and packs everything, and publishes it. Into release/ go the tarballs, the
// notes (this version's chapter of CHANGELOG.md), the list of components (CycloneDX) and their sums. With --dry-run nothing
// leaves the machine, and what would keep a release back is only told. In a workflow of GitHub that may ask for an identity
// (id-token: write) npm signs where the packages come from.
//   --checked   types, Biome, imports and sizes have been looked at already
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packAll } from './pack.mjs'
import { PrepareError, prepare, readJson, report, root, run } from './prepare.mjs'
import { ownerOf, placeholder } from './repository.mjs'
import { sbom } from './sbom.mjs'

/** @typedef {import('./pack.mjs').Packed} Packed */

const folder = join(root, 'release')
/** What nobody needs who installs a package. */
const unwanted = /\.(test|contract)\.|tsbuildinfo|(^|\/)test\//
/** What every package must have in it. */
const wanted = ['package.json', 'README.md', 'LICENSE']

await report(async () => {
  const { values } = parseArgs({
    options: { 'dry-run': { type: 'boolean', default: false }, checked: { type: 'boolean', default: false } },
  })
  const { version } = readJson('package.json')
  const objections = await objectionsTo(version)
  if (objections.length > 0 && !values['dry-run']) throw new PrepareError(`not released: ${objections.join('; ')}`)
  await prepare()
  for (const name of [...(values.checked ? [] : ['check']), 'check:packages', 'check:release']) await step(name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const packed = inOrder(await packAll(folder))
  for (const one of packed) await requireContents(one)
  writeFileSync(join(folder, 'NOTES.md'), notesOf(version))
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(await sbom(), null, 2)}\n`)
  writeFileSync(join(folder, 'SHA256SUMS'), sums())
  console.log(`ok release/: ${readdirSync(folder).join(' ')}`)
  for (const one of packed) {
    const command = publishCommand(one)
    if (values['dry-run']) console.log(`would run: npm ${command.join(' ').replace(`${root}/`, '')}`)
    else await publish(one, command)
  }
  for (const objection of objections) console.log(`a release would be refused: ${objection}`)
})

/** What keeps this version back. @param {string} version */
async function objectionsTo(version) {
  const { output: changes } = await run('git', ['status', '--porcelain'], { quiet: true })
  const { code: isTagged } = await run('git', ['describe', '--exact-match', '--match', `v${version}`], { quiet: true })
  return [
    ...(ownerOf() === placeholder ? ['nobody owns the repository yet: npm run repository -- OWNER'] : []),
    ...(changes.trim() === '' ? [] : ['there are changes that are not committed']),
    ...(isTagged === 0 ? [] : [`this commit has no tag v${version}`]),
    ...(/unreleased/i.test(titleOf(version)) ? [`CHANGELOG.md calls ${version} unreleased: write the date there`] : []),
    ...oddVersions(version).map((name) => `${name} is not of version ${version}, or depends on another one of ours`),
  ]
}

/** @param {string} version */
function oddVersions(version) {
  const manifests = readdirSync(join(root, 'packages')).map((name) => readJson(`packages/${name}/package.json`))
  const names = new Set(manifests.map(({ name }) => name))
  return manifests
    .filter(({ version: own, dependencies = {} }) => {
      const ours = Object.entries(dependencies).filter(([name]) => names.has(name))
      return own !== version || ours.some(([, range]) => range !== version)
    })
    .map(({ name }) => name)
}

/** @param {string} name of a script. */
async function step(name) {
  const { code, output } = await run('npm', ['run', '--silent', name], { quiet: true })
  if (code !== 0) throw new PrepareError(`npm run ${name} failed\n${output}`)
  console.log(`ok npm run ${name}`)
}

/** What others need comes before them. @param {readonly Packed[]} packed */
function inOrder(packed) {
  /** @type {Packed[]} */
  const sorted = []
  const has = (/** @type {string} */ name) => sorted.some((one) => one.name === name)
  const ours = new Set(packed.map(({ name }) => name))
  while (sorted.length < packed.length) {
    const next = packed.find(
      ({ name, manifest }) =>
        !has(name) && Object.keys(manifest.dependencies ?? {}).every((other) => !ours.has(other) || has(other)),
    )
    if (!next) throw new PrepareError('packages depend on each other in a circle')
    sorted.push(next)
  }
  return sorted
}

/** @param {Packed} one */
async function requireContents({ name, tarball }) {
  const { output } = await run('tar', ['-tzf', tarball], { quiet: true })
  const files = output
    .trim()
    .split('\n')
    .map((path) => path.replace('package/', ''))
  const missing = wanted.filter((path) => !files.includes(path))
  const odd = files.filter((path) => unwanted.test(path))
  if (missing.length > 0) throw new PrepareError(`${name} lacks ${missing.join(', ')}`)
  if (odd.length > 0) throw new PrepareError(`${name} has what nobody needs: ${odd.slice(0, 3).join(', ')}`)
  console.log(`ok ${name}: ${files.length} files`)
}

function changelog() {
  return readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
}

/** @param {string} version */
function titleOf(version) {
  return new RegExp(`^## ${version.replaceAll('.', '\\.')}.*$`, 'm').exec(changelog())?.[0] ?? ''
}

/** The chapter of a version. @param {string} version */
function notesOf(version) {
  const title = titleOf(version)
  if (title === '') throw new PrepareError(`CHANGELOG.md has no chapter ${version}`)
  const [, after = ''] = changelog().split(title)
  const [chapter = ''] = after.split(/^## /m)
  if (chapter.trim() === '') throw new PrepareError(`CHANGELOG.md says nothing of ${version}`)
  return `# Godwit ${version}\n\n${chapter.trim()}\n`
}

function sums() {
  return readdirSync(folder)
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}  ${name}\n`,
    )
    .join('')
}

/** @param {Packed} one */
function publishCommand({ tarball }) {
  const signed = process.env.GITHUB_ACTIONS === 'true' ? ['--provenance'] : []
  return ['publish', tarball, '--access', 'public', ...signed]
}

/** @param {Packed} one @param {readonly string[]} command */
async function publish({ name }, command) {
  const { code } = await run('npm', command)
  if (code !== 0) throw new PrepareError(`npm could not publish ${name}; those before it are published`)
}
