// Reads the client's modules for browser-bundle.mjs: which members of classes nothing calls, and how a module reads without such
// members, or without properties that a page never has.
import ts from 'typescript'

/** @import { ClassLikeDeclaration, Node, SourceFile } from 'typescript' */

/**
 * @param {string} path
 * @param {string} source
 */
export const parse = (path, source) => ts.createSourceFile(path, source, ts.ScriptTarget.ES2022, true)

/**
 * The members of classes that nothing can call: their names stand behind no dot, in no pattern and in no string, but in other such
 * members.
 * @param {readonly SourceFile[]} files All the modules.
 * @param {ReadonlySet<string>} called From outside.
 * @returns {ReadonlySet<string>} Of each the key that `keyOf` gives.
 */
export function deadMembers(files, called) {
  const used = new Set(called)
  /** @type {Map<string, Set<string>>} What each member uses. */
  const members = new Map()
  /**
   * @param {Node} node
   * @param {Set<string>} uses Those of the member that it is in.
   * @param {string} inside Its class.
   */
  const look = (node, uses, inside) => {
    if (ts.isPropertyAccessExpression(node)) uses.add(nameIn(inside, node.name))
    else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
      uses.add((node.propertyName ?? node.name).getText())
    } else if (ts.isStringLiteralLike(node)) uses.add(node.text)
    ts.forEachChild(node, (child) => {
      const within = ts.isClassLike(node) ? classOf(node) : inside
      const key = keyOf(child)
      if (key === undefined) return look(child, uses, within)
      const own = members.get(key) ?? new Set()
      members.set(key, own)
      ts.forEachChild(child, (part) => look(part, own, within))
    })
  }
  for (const file of files) look(file, used, '')
  const dead = new Map(members)
  for (let before = Infinity; dead.size < before; ) {
    before = dead.size
    for (const [key, uses] of dead) {
      if (!used.has(key.slice(key.indexOf('.') + 1)) && !used.has(key)) continue
      dead.delete(key)
      for (const name of uses) used.add(name)
    }
  }
  return new Set(dead.keys())
}

/**
 * `Class.member` of a method or an accessor; undefined for what cannot be left out.
 * @param {Node} node
 */
function keyOf(node) {
  if (!ts.isMethodDeclaration(node) && !ts.isAccessor(node)) return undefined
  if (!ts.isClassLike(node.parent) || ts.isComputedPropertyName(node.name)) return undefined
  return `${classOf(node.parent)}.${node.name.getText()}`
}

/** @param {Node} node */
function enclosingClass(node) {
  const at = ts.findAncestor(node, ts.isClassLike)
  return at && classOf(at)
}

/** @param {ClassLikeDeclaration} node */
const classOf = (node) => node.name?.text ?? `class at ${node.pos}`

/**
 * A private name is that of one class.
 * @param {string} inside
 * @param {Node} name
 */
const nameIn = (inside, name) => (ts.isPrivateIdentifier(name) ? `${inside}.${name.text}` : name.getText())

/**
 * A module without these members of its classes, and without the names of fields that only say that there is one.
 * @param {SourceFile} file
 * @param {ReadonlySet<string>} dead As `deadMembers` gives them.
 */
export function withoutMembers(file, dead) {
  const isBare = (/** @type {Node} */ node) =>
    ts.isPropertyDeclaration(node) && !node.initializer && !ts.isPrivateIdentifier(node.name)
  return replaced(file, (node) => {
    if (isBare(node) || dead.has(keyOf(node) ?? '')) return ''
    // In a branch that nothing enters.
    const isPrivate = ts.isPropertyAccessExpression(node) && ts.isPrivateIdentifier(node.name)
    return isPrivate && dead.has(`${enclosingClass(node)}.${node.name.text}`) ? 'undefined' : undefined
  })
}

/**
 * A module in which these properties are undefined wherever they are read.
 * @param {SourceFile} file
 * @param {ReadonlySet<string>} names With # in front, if private: such fields are not made either.
 */
export function withoutProperties(file, names) {
  return replaced(file, (node) => {
    if (isTakenOut(node, names)) {
      throw new Error(`${file.fileName} takes ${node.getText()} out of an object: a page has none; write it with a dot`)
    }
    if (ts.isPropertyDeclaration(node)) return names.has(node.name.getText()) ? '' : undefined
    if (ts.isExpressionStatement(node)) return isSet(node.expression, names) ? '' : undefined
    if (!ts.isPropertyAccessExpression(node) || !names.has(node.name.text)) return undefined
    const isMethod = ts.isCallExpression(node.parent) && node.parent.expression === node
    return isMethod ? undefined : 'undefined'
  })
}

/**
 * @param {Node} node
 * @param {ReadonlySet<string>} names
 */
function isTakenOut(node, names) {
  return isInPattern(node) && names.has((node.propertyName ?? node.name).getText())
}

/**
 * @param {Node} node
 * @returns {node is import('typescript').BindingElement}
 */
function isInPattern(node) {
  return ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)
}

/**
 * @param {Node} node
 * @param {ReadonlySet<string>} names
 */
function isSet(node, names) {
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.EqualsToken) return false
  return ts.isPropertyAccessExpression(node.left) && names.has(node.left.name.text)
}

/**
 * The text of a module with other words for some of its nodes, and its lines where they were.
 * @param {SourceFile} file
 * @param {(node: Node) => string | undefined} wordsFor
 */
export function replaced(file, wordsFor) {
  let text = ''
  let at = 0
  const look = (/** @type {Node} */ node) => {
    const words = wordsFor(node)
    if (words === undefined) {
      ts.forEachChild(node, look)
      return
    }
    const start = node.getStart()
    text += file.text.slice(at, start) + words + file.text.slice(start, node.end).replaceAll(/[^\n]/g, '')
    at = node.end
  }
  ts.forEachChild(file, look)
  return text + file.text.slice(at)
}

/**
 * The names of all properties, but for private ones.
 * @param {SourceFile} file
 */
export function propertiesIn(file) {
  /** @type {string[]} */
  const names = []
  const look = (/** @type {Node} */ node) => {
    const isProperty =
      ts.isPropertyAccessExpression(node) || ts.isObjectLiteralElementLike(node) || ts.isClassElement(node)
    const name = isProperty ? node.name : isInPattern(node) ? (node.propertyName ?? node.name) : undefined
    if (name && ts.isIdentifier(name)) names.push(name.text)
    ts.forEachChild(node, look)
  }
  look(file)
  return names
}

/**
 * All that stands in quotes.
 * @param {SourceFile} file
 */
export function stringsIn(file) {
  /** @type {string[]} */
  const strings = []
  const look = (/** @type {Node} */ node) => {
    if (ts.isStringLiteralLike(node)) strings.push(node.text)
    ts.forEachChild(node, look)
  }
  look(file)
  return strings
}
