// Where the project lives is said in one place: `repository`, `homepage` and `bugs` of the root's package.json. This script
// carries it to every package and to every page that needs a whole address, because it is read away from the repository.
//
//   npm run repository -- OWNER     sets the owner, everywhere
//   npm run repository -- --check   fails where a file says otherwise
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PrepareError, packageFolders, readJson, report, root } from './prepare.mjs'

/** Stands for the owner until there is one. Nothing is published under it: see release.mjs. */
export const placeholder = 'OWNER'

/** What a package needs so that people find it. */
const fewestKeywords = 5

/** @param {string} owner */
const addresses = (owner) => ({
  repository: { type: 'git', url: `git+https://github.com/${owner}/godwit.git` },
  homepage: `https://${owner}.github.io/godwit/`,
  bugs: { url: `https://github.com/${owner}/godwit/issues` },
})

/** The owner, as the root's package.json has it. */
export function ownerOf(manifest = readJson('package.json')) {
  return /github\.com\/([^/]+)\//.exec(manifest.repository?.url ?? '')?.[1] ?? placeholder
}

/** Where a file of the repository is shown: `${repositoryUrl()}/blob/main/README.md`. */
export const repositoryUrl = () => `https://github.com/${ownerOf()}/godwit`

/** Pages that are read where relative links lead nowhere: on the registry, or from GitHub's own forms. */
function pages() {
  const forms = '.github/ISSUE_TEMPLATE'
  return [
    'SECURITY.md',
    'CODE_OF_CONDUCT.md',
    ...(existsSync(join(root, forms)) ? readdirSync(join(root, forms)).map((name) => `${forms}/${name}`) : []),
    ...packageFolders().map((folder) => `${folder}/README.md`),
  ]
}

/**
 * A file as it should be.
 * @param {string} path
 * @param {string} owner
 */
function wanted(path, owner) {
  const text = readFileSync(join(root, path), 'utf8')
  if (!path.endsWith('package.json')) {
    return text
      .replaceAll(/https:\/\/github\.com\/[\w-]+\/godwit\b/g, `https://github.com/${owner}/godwit`)
      .replaceAll(/https:\/\/[\w-]+\.github\.io\/godwit\b/g, `https://${owner}.github.io/godwit`)
  }
  const manifest = JSON.parse(text)
  const { repository, homepage, bugs } = addresses(owner)
  const directory = path.slice(0, -'/package.json'.length)
  const there = path === 'package.json' ? repository : { ...repository, directory }
  return `${JSON.stringify({ ...manifest, repository: there, homepage, bugs }, null, 2)}\n`
}

/** @param {string} text */
const withoutSpace = (text) => text.replaceAll(/\s+/g, '')

async function main() {
  const [word = ''] = process.argv.slice(2)
  const isCheck = word === '--check'
  if (!isCheck && !/^[\w-]+$/.test(word)) throw new PrepareError('say an owner, or --check')
  const owner = isCheck ? ownerOf() : word
  const manifests = ['package.json', ...packageFolders().map((folder) => `${folder}/package.json`)]
  const files = [...manifests, ...pages()]
  const stale = files.filter(
    (path) => withoutSpace(wanted(path, owner)) !== withoutSpace(readFileSync(join(root, path), 'utf8')),
  )
  if (!isCheck) for (const path of stale) writeFileSync(join(root, path), wanted(path, owner))
  if (isCheck && stale.length > 0) {
    throw new PrepareError(`${stale.join(', ')}: not where package.json says; run npm run repository -- ${owner}`)
  }
  for (const path of manifests.slice(1)) {
    const { keywords = [] } = readJson(path)
    if (keywords.length < fewestKeywords) throw new PrepareError(`${path}: fewer than ${fewestKeywords} keywords`)
  }
  console.log(`${files.length} files say https://github.com/${owner}/godwit`)
}

if (process.argv[1] === import.meta.filename) await report(main)
