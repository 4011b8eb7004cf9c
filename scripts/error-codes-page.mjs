// Writes docs/error-codes.md from the sources: the error classes and unions of codes with their doc comments, and the table
// of reason codes. With `--check` it only compares, and fails when the page is out of date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { Application } from 'typedoc'
import { root } from './prepare.mjs'

const page = join(root, 'docs/error-codes.md')
const sources = [
  'client/src/errors',
  'broker/src/errors',
  'broker/src/metrics',
  'admin/src/problem',
  'protocol/src/errors',
]

/** As far as it is looked at here. @typedef {import('typedoc').JSONOutput.SomeType} Type */
/** @typedef {import('typedoc').JSONOutput.DeclarationReflection} Declaration */
/** @typedef {import('typedoc').JSONOutput.CommentDisplayPart} Part */

/** What the documentation tool reads of the sources, by their names. */
async function documented() {
  const app = await Application.bootstrap({
    entryPoints: sources.map((name) => join(root, 'packages', `${name}.ts`)),
    basePath: join(root, 'packages'),
    tsconfig: join(root, 'docs/.vitepress/tsconfig.json'),
    sort: ['source-order'],
    readme: 'none',
    disableSources: true,
    skipErrorChecking: true, // the type check is another step
    logLevel: 'Error',
  })
  const project = await app.convert()
  if (!project) throw new Error('typedoc cannot read the sources')
  const { children = [] } = app.serializer.projectToObject(
    project,
    /** @type {import('typedoc').NormalizedPath} */ (root),
  )
  return new Map(children.map((file) => [file.name, file.children ?? []]))
}

const found = await documented()

/** @param {readonly Part[]} [parts] What a comment consists of. */
const textOf = (parts = []) =>
  parts.map((part) => (part.kind === 'inline-tag' ? `\`${part.text.split('.').at(-1)}\`` : part.text)).join('')

/** @param {readonly string[]} lines */
const oneLine = (lines) => lines.join(' ').replace(/\s+/g, ' ').trim()

/**
 * The literals in a type: of a union each, otherwise its one.
 * @param {Type | undefined} type
 * @returns {string[]}
 */
function literals(type) {
  if (type?.type === 'union') return type.types.flatMap(literals)
  return type?.type === 'literal' ? [String(type.value)] : []
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function table(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** A union whose members have a doc comment each: code, meaning. @param {string} file @param {string} name */
function union(file, name) {
  const type = found.get(file)?.find((one) => one.name === name)?.type
  if (type?.type !== 'union' || !type.elementSummaries) throw new Error(`${file} has no union ${name} with comments`)
  const { elementSummaries } = type
  return literals(type).map((code, at) => [`\`${code}\``, oneLine([textOf(elementSummaries[at])])])
}

/** The client's error classes. Their doc comments have a line for each code: - `code`: meaning. */
function clientErrors() {
  return (found.get('client/src/errors') ?? []).flatMap(({ name, flags, comment, children = [] }) => {
    const property = (/** @type {string} */ wanted) => children.find((one) => one.name === wanted)?.type
    const codes = literals(property('code'))
    if (codes.length === 0 || flags.isAbstract) return []
    const meanings = meaningsIn(textOf(comment?.summary).split('\n'))
    const [permanent] = literals(property('permanent'))
    const again = permanent === undefined ? 'it depends: `error.permanent`' : permanent === 'true' ? 'no' : 'yes'
    return [{ name, text: meanings.get('') ?? '', codes, meanings, again }]
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

/** Rows of the standard's table: number, name, words, packets. They are values, which no documentation has. */
async function reasonCodes() {
  const entry = join(root, 'packages/protocol/src/reason-codes.ts')
  const { outputFiles } = buildSync({ entryPoints: [entry], bundle: true, format: 'esm', write: false })
  const text = outputFiles[0]?.text ?? ''
  /** @type {{ rows: Record<string, { code: number, text: string, hosts: readonly string[] }> }} */
  const { rows } = await import(`data:text/javascript,${encodeURIComponent(text)}`)
  return Object.values(rows).map(({ code, text: words, hosts }) => {
    const hex = `0x${code.toString(16).toUpperCase().padStart(2, '0')}`
    return [hex, String(code), words, hosts.map((host) => host.toUpperCase()).join(', ')]
  })
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
const metrics = 'broker/src/metrics'

const whole = `# Error codes

<!-- Made by \`npm run page:errors\` from the sources; do not edit. -->

Every code that a program can meet. Messages are for people and may change; codes do not.

## Of the client

Every error of \`@godwit/client\` is a \`ClientError\` with a \`code\`; \`isPermanent(error)\` says whether it is useless to try again.

${classes.join('\n\n')}

## Of the broker's interface

\`BrokerError\`, which \`createBroker\` and the methods of a broker throw. What clients do wrong never surfaces as one.

${table(['code', ''], union('broker/src/errors', 'BrokerErrorCode'))}

## Of the HTTP API

\`code\` in a problem document (RFC 9457), which \`@godwit/admin\` answers with, and its status.

${table(['code', ''], union('admin/src/problem', 'ProblemCode'))}

## Of the protocol

\`ProtocolError\` of \`@godwit/protocol\`: bytes or a packet against the rules of MQTT.

${table(['code', ''], union('protocol/src/errors', 'ProtocolErrorCode'))}

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

${table(['code', '', 'in words', 'packets'], await reasonCodes())}

## Exit codes of the commands

0 is success. [The command line](command-line.md#exit-codes) has the others.
`

if (!process.argv.includes('--check')) writeFileSync(page, whole)
else if (readFileSync(page, 'utf8') !== whole) {
  console.error('docs/error-codes.md is out of date: run `npm run page:errors` and commit it')
  process.exitCode = 1
}
