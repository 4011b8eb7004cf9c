// Writes docs/error-codes.md from the sources: the error classes and unions of codes with their doc comments, and the table
// of reason codes. With `--check` it only compares, and fails when the page is out of date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './prepare.mjs'

const page = join(root, 'docs/error-codes.md')

/** @param {string} path */
function statements(path) {
  const text = readFileSync(join(root, path), 'utf8')
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true).statements
}

/**
 * The last doc comment in what stands before a node, as the lines of its text.
 * @param {ts.Node} node
 * @param {number} [from] where that begins. Default: after the token before.
 */
function docLines(node, from = node.getFullStart()) {
  const before = node.getSourceFile().text.slice(from, node.getStart())
  const comment = [...before.matchAll(/\/\*\*([\s\S]*?)\*\//g)].at(-1)?.[1] ?? ''
  return comment
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\s*\*\s?/, ''))
}

/** @param {readonly string[]} lines */
const oneLine = (lines) =>
  lines
    .join(' ')
    .replace(/\{@link (\w+\.)?(\w+)\}/g, '`$2`')
    .replace(/\s+/g, ' ')
    .trim()

/**
 * The literals in a type: of a union each, otherwise its one.
 * @param {ts.Node | undefined} node
 * @returns {ts.LiteralTypeNode[]}
 */
function literals(node) {
  if (!node) return []
  if (ts.isUnionTypeNode(node)) return node.types.flatMap(literals)
  return ts.isLiteralTypeNode(node) ? [node] : []
}

/** @param {ts.Node} node */
const unquoted = (node) => node.getText().replace(/^'|'$|' as const$/g, '')

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function table(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** A union whose members have a doc comment each: code, meaning. @param {string} path @param {string} name */
function union(path, name) {
  const found = statements(path).find((one) => ts.isTypeAliasDeclaration(one) && one.name.text === name)
  if (!found || !ts.isTypeAliasDeclaration(found)) throw new Error(`${path} has no type ${name}`)
  // Its comment stands before the bar that stands before the member.
  const members = literals(found.type)
  return members.map((one, at) => {
    const from = members[at - 1]?.end ?? found.getStart()
    return [`\`${unquoted(one)}\``, oneLine(docLines(one, from))]
  })
}

/** The client's error classes. Their doc comments have a line for each code: - `code`: meaning. */
function clientErrors() {
  return statements('packages/client/src/errors.ts').flatMap((one) => {
    if (!ts.isClassDeclaration(one) || one.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword))
      return []
    const property = (/** @type {string} */ name) =>
      one.members.find((member) => ts.isPropertyDeclaration(member) && member.name.getText() === name)
    const code = /** @type {ts.PropertyDeclaration} */ (property('code'))
    const codes = code.initializer ? [unquoted(code.initializer)] : literals(code.type).map(unquoted)
    const permanent = /** @type {ts.PropertyDeclaration} */ (property('permanent')).initializer?.getText()
    const meanings = meaningsIn(docLines(one))
    const again =
      permanent === undefined ? 'it depends: `error.permanent`' : permanent.startsWith('true') ? 'no' : 'yes'
    return [{ name: one.name?.text ?? '', text: meanings.get('') ?? '', codes, meanings, again }]
  })
}

/** @param {readonly string[]} lines */
function meaningsIn(lines) {
  /** @type {Map<string, string[]>} */
  const found = new Map([['', []]])
  let keys = ['']
  for (const line of lines) {
    const [, names, text = ''] = /^- ((?:`[a-z-]+`(?:, )?)+): (.*)$/.exec(line) ?? []
    if (names) {
      keys = [...names.matchAll(/`([a-z-]+)`/g)].map(([, key = '']) => key)
      for (const key of keys) found.set(key, [text])
    } else for (const key of keys) found.get(key)?.push(line)
  }
  return new Map([...found].map(([key, texts]) => [key, oneLine(texts)]))
}

/** Rows of the standard's table: number, words, packets. */
function reasonCodes() {
  /** @type {string[][]} */
  const rows = []
  const visit = (/** @type {ts.Node} */ node) => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'row' && ts.isPropertyAssignment(node.parent)) {
      const [code, words, ...packets] = node.arguments.map(unquoted)
      const number = Number(code)
      const hex = `0x${number.toString(16).toUpperCase().padStart(2, '0')}`
      rows.push([hex, String(number), words ?? '', packets.map((packet) => packet.toUpperCase()).join(', ')])
    }
    ts.forEachChild(node, visit)
  }
  for (const one of statements('packages/protocol/src/reason-codes.ts')) visit(one)
  return rows
}

function protocolErrors() {
  const source = statements('packages/protocol/src/errors.ts')
  const list = source.find((one) => ts.isVariableStatement(one) && one.getText().startsWith('const reasonOf'))
  /** @type {string[][]} */
  const rows = []
  const visit = (/** @type {ts.Node} */ node) => {
    if (ts.isPropertyAssignment(node)) rows.push([`\`${unquoted(node.name)}\``, oneLine(docLines(node))])
    ts.forEachChild(node, visit)
  }
  if (list) visit(list)
  return rows
}

/** @param {ReturnType<typeof clientErrors>[number]} error */
function section({ name, text, codes, meanings, again }) {
  const hasMeanings = codes.some((code) => meanings.has(code))
  const list = hasMeanings
    ? table(
        ['code', ''],
        codes.map((code) => [`\`${code}\``, meanings.get(code) ?? '']),
      )
    : `Code: ${codes.map((code) => `\`${code}\``).join(', ')}.`
  return `### ${name}\n\n${text} Worth trying again: ${again}.\n\n${list}`
}

const classes = clientErrors().map(section)
const metrics = 'packages/broker/src/metrics.ts'

const whole = `# Error codes

<!-- Made by \`npm run page:errors\` from the sources; do not edit. -->

Every code that a program can meet. Messages are for people and may change; codes do not.

## Of the client

Every error of \`@godwit/client\` is a \`ClientError\` with a \`code\`; \`isPermanent(error)\` says whether it is useless to try again.

${classes.join('\n\n')}

## Of the broker's interface

\`BrokerError\`, which \`createBroker\` and the methods of a broker throw. What clients do wrong never surfaces as one.

${table(['code', ''], union('packages/broker/src/errors.ts', 'BrokerErrorCode'))}

## Of the HTTP API

\`code\` in a problem document (RFC 9457), which \`@godwit/admin\` answers with, and its status.

${table(['code', ''], union('packages/admin/src/problem.ts', 'ProblemCode'))}

## Of the protocol

\`ProtocolError\` of \`@godwit/protocol\`: bytes or a packet against the rules of MQTT.

${table(['code', ''], protocolErrors())}

## Why a message was dropped

\`reason\` in the log and in the counters.

${table(['reason', ''], union(metrics, 'DropReason'))}

## Why a connection was refused

Before its first byte of MQTT:

${table(['reason', ''], union(metrics, 'HandshakeRefusal'))}

Before it had a session:

${table(['reason', ''], union(metrics, 'ConnectionRefusal'))}

## Why a subscription was refused

${table(['reason', ''], union(metrics, 'SubscriptionRefusal'))}

## Reason codes of MQTT 5.0

From 0x80 on it is an error (section 2.4 of the standard).

${table(['code', '', 'in words', 'packets'], reasonCodes())}

## Exit codes of the commands

0 is success. [The command line](command-line.md#exit-codes) has the others.
`

if (!process.argv.includes('--check')) writeFileSync(page, whole)
else if (readFileSync(page, 'utf8') !== whole) {
  console.error('docs/error-codes.md is out of date: run `npm run page:errors` and commit it')
  process.exitCode = 1
}
