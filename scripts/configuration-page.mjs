// Writes docs/configuration.md from the schema of the configuration and the doc comments of the broker's limits. With
// `--check` it only compares, and fails when the page is out of date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonSchema } from '../packages/cli/dist/config/schema.js'
import { root } from './prepare.mjs'

const page = join(root, 'docs', 'configuration.md')

/** @typedef {{ description?: string, type?: string, enum?: unknown[], anyOf?: Property[], const?: unknown, properties?: Record<string, Property>, items?: Property, default?: unknown }} Property */

const { properties } = /** @type {{ properties: Record<string, Property> }} */ (jsonSchema())

/** The doc comment of each limit. */
const limits = [
  ...readFileSync(join(root, 'packages/broker/src/limits.ts'), 'utf8').matchAll(
    /\/\*\* ([^*]+(?:\*(?!\/)[^*]*)*) \*\/\n {2}readonly (\w+): number/g,
  ),
].map(([, text = '', name = '']) => /** @type {const} */ ([name, text.replace(/\s*\n\s*\*\s*/g, ' ')]))

/**
 * @param {Property} property
 * @returns {string}
 */
function kind({ type, enum: words, anyOf, const: value, properties: own, items }) {
  if (own) return 'see below'
  if (items) return items.properties ? 'a list, see below' : 'a list'
  if (words) return words.map((word) => `\`${word}\``).join(', ')
  if (value !== undefined) return `\`${value}\``
  if (anyOf) return anyOf.map(kind).join(', ')
  return type ?? ''
}

/** @param {Record<string, Property>} rows */
function table(rows) {
  const lines = Object.entries(rows).map(
    ([name, property]) =>
      `| \`${name}\` | ${kind(property)} | ${property.description ?? ''}${
        property.default === undefined ? '' : ` Default \`${property.default}\`.`
      } |`,
  )
  return `| key | takes | |\n|---|---|---|\n${lines.join('\n')}\n`
}

/**
 * The tables of an object and of those inside it.
 * @param {string} name
 * @param {Property} property
 * @returns {string[]}
 */
function tables(name, { properties: own, items }) {
  const rows = own ?? items?.properties
  if (!rows) return []
  const below = Object.entries(rows).flatMap(([key, property]) => tables(`${name}.${key}`, property))
  return [`## ${name}\n\n${table(rows)}`, ...below]
}

const sections = Object.entries(properties).filter(([name]) => name !== 'limits')
const whole = `# Configuration

<!-- Made by \`npm run page:configuration\` from the schema; do not edit. -->

\`godwit broker --config FILE\` reads one YAML or JSON file. Flags override environment variables, these override the file,
and that overrides the defaults, setting by setting; a list is one setting. A variable is the path in capitals, with two
underscores between levels: \`GODWIT_LIMITS__MAX_INFLIGHT=100\` is \`limits.maxInflight: 100\`.

\`\`\`yaml
listeners:
  - port: 1883
data: /var/lib/godwit
limits:
  maxQueuedMessages: 100000
  maxQueuedBytes: 256MiB
log:
  level: info
\`\`\`

\`godwit config check --config FILE\` says what is wrong, with line and column; \`godwit config print\` shows what holds and where
each value comes from; \`godwit config schema\` prints the JSON Schema for editors.

${table(Object.fromEntries(sections))}
${sections.flatMap(([name, property]) => tables(name, property)).join('\n')}
## limits

Every bound the broker keeps; a key that ends in \`Bytes\` takes a size such as \`512MiB\` too.

| key | |
|---|---|
${limits.map(([name, text]) => `| \`${name}\` | ${text} |`).join('\n')}
`

if (!process.argv.includes('--check')) writeFileSync(page, whole)
else if (readFileSync(page, 'utf8') !== whole) {
  console.error('docs/configuration.md is out of date: run `npm run page:configuration` and commit it')
  process.exitCode = 1
}
