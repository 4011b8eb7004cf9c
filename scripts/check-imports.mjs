// Fails when a file imports what it may not (import-rules.mjs), or when files of one package import each other in a circle.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript'
import { brokerRooms, packageRules } from './import-rules.mjs'
import { packageFolders, root } from './prepare.mjs'

/**
 * One import as it stands in a file.
 * @typedef {object} Import
 * @property {string} from The importing file, from the package's folder: `src/session/session.ts`.
 * @property {number} line
 * @property {string} specifier As written.
 * @property {string | undefined} target The imported file, from the package's folder, when the specifier is relative.
 */

/**
 * A package to check.
 * @typedef {object} Package
 * @property {string} name
 * @property {string} folder Where it is, for the messages.
 * @property {readonly string[]} dependencies The names in `dependencies` of its package.json.
 * @property {readonly string[]} [devDependencies] The names in `devDependencies`.
 * @property {ReadonlyMap<string, string>} files Path from the package's folder to text.
 */

/**
 * Everything wrong in one package, a line each.
 * @param {Package} pkg
 */
export function problemsOf(pkg) {
  const imports = [...pkg.files].flatMap(([file, text]) => importsOf(file, text, pkg.files))
  return [
    ...imports.flatMap((found) => {
      const reason = forbidden(pkg, found)
      return reason ? [`${pkg.folder}/${found.from}:${found.line} imports '${found.specifier}': ${reason}`] : []
    }),
    ...circles(imports.filter(({ from }) => !isTest(from))).map(
      (circle) => `${pkg.folder}: circle ${circle.join(' → ')}`,
    ),
  ]
}

/**
 * Type imports count: a room that knows the types of a higher one depends on it.
 * @param {string} from
 * @param {string} text
 * @param {ReadonlyMap<string, string>} files
 * @returns {Import[]}
 */
function importsOf(from, text, files) {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName, pos }) => ({
    from,
    line: text.slice(0, pos).split('\n').length,
    specifier: fileName,
    target: fileName.startsWith('.') ? sourceOf(join(dirname(from), fileName), files) : undefined,
  }))
}

/**
 * @param {string} path as it is imported.
 * @param {ReadonlyMap<string, string>} files
 */
function sourceOf(path, files) {
  const source = path.replace(/\.js$/, '.ts')
  return files.has(`${source}x`) ? `${source}x` : source
}

/** @param {string} file */
const isTest = (file) => !file.startsWith('src/') || /\.(test|test-d|contract)\.ts$/.test(file)

/**
 * Why an import may not be, or nothing.
 * @param {Package} pkg
 * @param {Import} found
 */
function forbidden(pkg, { from, specifier, target }) {
  if (target === undefined) return forbiddenPackage(pkg, from, specifier)
  if (target.startsWith('..')) return 'it reaches out of its package'
  if (isTest(from)) return undefined
  if (isTest(target)) return 'a source may not need a test'
  return pkg.name === '@godwit/broker' ? forbiddenRoom(from, target) : undefined
}

/**
 * @param {Package} pkg
 * @param {string} from
 * @param {string} specifier
 */
function forbiddenPackage(pkg, from, specifier) {
  const { uses, usedByTests = [], nodeOnlyIn, bundled } = packageRules[pkg.name] ?? { uses: [] }
  if (specifier.startsWith('#')) return undefined
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    const allowed = isTest(from) || !nodeOnlyIn || nodeOnlyIn.includes(relative('src', from))
    return allowed ? undefined : `${pkg.name} also runs in browsers (only ${nodeOnlyIn.join(', ')} may use Node)`
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (name in packageRules) {
    const allowed = uses.includes(name) || (isTest(from) && (name === pkg.name || usedByTests.includes(name)))
    return allowed ? undefined : `${pkg.name} may not use ${name}`
  }
  const isBundled = bundled !== undefined && from.startsWith(`src/${bundled}/`) && pkg.devDependencies?.includes(name)
  return isTest(from) || isBundled || pkg.dependencies.includes(name)
    ? undefined
    : `${name} is not among its dependencies`
}

/**
 * @param {string} from
 * @param {string} target
 */
function forbiddenRoom(from, target) {
  const [own, other] = [roomOf(from), roomOf(target)]
  const [ownRow, otherRow] = [rowOf(own), rowOf(other)]
  if (ownRow < 0) return `${own} is in no row of import-rules.mjs`
  if (otherRow < 0) return `${other} is in no row of import-rules.mjs`
  if (own === other || otherRow < ownRow || (ownRow === 0 && otherRow === 0)) return undefined
  return otherRow === ownRow ? `${own} and ${other} are rooms of one row` : `${other} is above ${own}`
}

/** @param {string} file `src/session/session.ts` is in `session`, `src/broker.ts` in `broker.ts`. */
const roomOf = (file) => file.split('/')[1] ?? file

/** @param {string} room */
const rowOf = (room) => brokerRooms.findIndex((row) => row.includes(room))

/**
 * The circles met on a walk along the imports, each as the files in order with the first repeated at the end.
 * @param {readonly Import[]} imports
 */
function circles(imports) {
  /** @type {Map<string, Set<string>>} */
  const targets = new Map()
  for (const { from, target } of imports) {
    if (target !== undefined) targets.set(from, (targets.get(from) ?? new Set()).add(target))
  }
  /** @type {string[][]} */
  const found = []
  /** @type {Set<string>} */
  const done = new Set()
  /** @type {string[]} */
  const path = []
  /** @param {string} file */
  const visit = (file) => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file])
    if (done.has(file) || path.includes(file)) return
    path.push(file)
    for (const next of targets.get(file) ?? []) visit(next)
    path.pop()
    done.add(file)
  }
  for (const file of targets.keys()) visit(file)
  return found
}

/**
 * A package of the workspace, with the text of its sources and tests.
 * @param {string} folder
 * @returns {Package}
 */
function readPackage(folder) {
  const at = join(root, folder)
  const manifest = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'))
  const files = ['src', 'test', 'bench']
    .filter((name) => existsSync(join(at, name)))
    .flatMap((name) =>
      readdirSync(join(at, name), { recursive: true, encoding: 'utf8' }).map((path) => `${name}/${path}`),
    )
    .filter((path) => /\.tsx?$/.test(path))
  return {
    name: manifest.name,
    folder,
    dependencies: Object.keys(manifest.dependencies ?? {}),
    devDependencies: Object.keys(manifest.devDependencies ?? {}),
    files: new Map(files.map((path) => [path, readFileSync(join(at, path), 'utf8')])),
  }
}

if (process.argv[1] === import.meta.filename) {
  const packages = packageFolders().map(readPackage)
  const problems = packages.flatMap(problemsOf)
  for (const problem of problems) console.error(problem)
  const files = packages.reduce((sum, { files }) => sum + files.size, 0)
  if (problems.length === 0) console.log(`imports: ${files} files, all as import-rules.mjs says`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
