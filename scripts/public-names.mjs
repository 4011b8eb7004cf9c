// Which names of properties must stay what they are: those that the programs of a page may use, and those of the platform.
// browser-bundle.mjs shortens all others.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { parse } from './page-modules.mjs'

/** @import { ImportDeclaration, ExportDeclaration, Node, Statement } from 'typescript' */

/**
 * Where a name of a file comes from; without `from` it is the file's own under another name.
 * @typedef {{ readonly from: string | undefined, readonly name: string }} Link
 */

/**
 * Every name in the declarations of what these modules export, and of all that they refer to.
 * @param {readonly string[]} modules Paths of .d.ts files.
 * @param {Readonly<Record<string, string>>} packages Those of packages, by specifier.
 */
export function publicNames(modules, packages) {
  /** @type {Set<string>} */
  const names = new Set()
  const seen = new Set()
  /** @type {Map<string, ReturnType<typeof read>>} */
  const files = new Map()
  const open = (/** @type {string} */ path) => {
    const file = files.get(path) ?? read(path)
    files.set(path, file)
    return file
  }
  const reach = (/** @type {string | undefined} */ path, /** @type {string} */ name) => {
    if (path === undefined || seen.has(`${path} ${name}`)) return
    seen.add(`${path} ${name}`)
    names.add(name)
    const { links, declared } = open(path)
    const link = links.get(name)
    if (link) reach(link.from === undefined ? path : declarationsOf(link.from, path, packages), link.name)
    for (const word of (declared.get(name) ?? []).flatMap(wordsIn)) {
      names.add(word)
      reach(path, word)
    }
  }
  for (const path of modules) {
    const { links, declared } = open(path)
    for (const name of [...links.keys(), ...declared.keys()]) reach(path, name)
  }
  return names
}

/** @param {string} path */
function read(path) {
  /** @type {Map<string, Link>} */
  const links = new Map()
  /** @type {Map<string, Statement[]>} */
  const declared = new Map()
  for (const statement of parse(path, readFileSync(path, 'utf8')).statements) {
    if (ts.isExportDeclaration(statement) || ts.isImportDeclaration(statement)) {
      for (const [name, link] of linksOf(statement)) links.set(name, link)
    } else {
      for (const name of declaredBy(statement)) declared.set(name, [...(declared.get(name) ?? []), statement])
    }
  }
  return { links, declared }
}

/**
 * @param {ImportDeclaration | ExportDeclaration} statement
 * @returns {[name: string, Link][]}
 */
function linksOf(statement) {
  const { moduleSpecifier } = statement
  const from = moduleSpecifier && ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text : undefined
  if (ts.isImportDeclaration(statement) && !statement.importClause) return []
  const bindings = ts.isExportDeclaration(statement) ? statement.exportClause : statement.importClause?.namedBindings
  if (!bindings || !('elements' in bindings))
    throw new Error(`${statement.getText()}: only names one by one are followed`)
  return bindings.elements.map(({ name, propertyName = name }) => [name.text, { from, name: propertyName.text }])
}

/**
 * @param {Statement} statement
 * @returns {string[]}
 */
function declaredBy(statement) {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.getText())
  const { name } = /** @type {{ name?: Node }} */ (/** @type {unknown} */ (statement))
  return name && ts.isIdentifier(name) ? [name.text] : []
}

/**
 * Names, and what stands in quotes: a name may.
 * @param {Node} node
 * @returns {string[]}
 */
function wordsIn(node) {
  if (ts.isImportTypeNode(node)) throw new Error(`${node.getText()} in a declaration: it is not followed`)
  /** @type {string[]} */
  const words = ts.isIdentifier(node) || ts.isStringLiteral(node) ? [node.text] : []
  ts.forEachChild(node, (child) => void words.push(...wordsIn(child)))
  return words
}

/**
 * @param {string} specifier
 * @param {string} from
 * @param {Readonly<Record<string, string>>} packages
 */
function declarationsOf(specifier, from, packages) {
  if (!specifier.startsWith('.')) return packages[specifier]
  const path = join(dirname(from), specifier.replace(/\.js$/, '.d.ts'))
  return existsSync(path) ? path : undefined
}

/** Every name that the language and a browser have, as TypeScript declares them. */
export function platformNames() {
  const folder = dirname(fileURLToPath(import.meta.resolve('typescript')))
  const files = readdirSync(folder).filter((name) => /^lib\.(es|dom).*\.d\.ts$/.test(name))
  const text = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n')
  return text.replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gs, '').match(/[\w$]+/g) ?? []
}
