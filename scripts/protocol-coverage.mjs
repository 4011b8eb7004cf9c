// Writes docs/protocol-coverage.md: for each normative statement of MQTT 3.1.1 and 5.0 the check or test that fails when
// the rule is broken, or why there is none. With `--check` it only compares, and fails when the page is out of date; in
// either case it fails when a statement has neither.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { allChecks, allChecks50, statements50, statements311 } from '@godwit/conformance'
import { root } from './prepare.mjs'
import { reasons } from './protocol-coverage-reasons.mjs'

const page = join(root, 'docs', 'protocol-coverage.md')

/**
 * @typedef {'3.1.1' | '5.0'} Version
 * @typedef {{ name: string, file: string }} Test
 */

const versions = /** @type {const} */ ([
  ['3.1.1', statements311, allChecks],
  ['5.0', statements50, allChecks50],
])

/** Every test of the packages, with the names that tables and `describe.each` give them. */
function listTests() {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-coverage-'))
  try {
    const file = join(folder, 'tests.json')
    execFileSync('npx', ['vitest', 'list', `--json=${file}`, 'packages'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return /** @type {Test[]} */ (JSON.parse(readFileSync(file, 'utf8')))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * Which versions a test speaks of: those it names, in its own words or in those of the groups around it. Most ids mean
 * another rule in the other version, so a test that names none counts only for ids that one version has.
 * @param {Test} test
 * @param {string} id
 * @returns {readonly Version[]}
 */
function versionsOf({ name }, id) {
  const named = versions.map(([version]) => version).filter((version) => name.includes(version))
  if (named.length > 0) return named
  const having = versions.filter(([, statements]) => statements.some((statement) => statement.id === id))
  return having.length === 1 ? having.map(([version]) => version) : []
}

/** @type {Map<string, Set<string>>} `version id` → files with tests of it */
const proven = new Map()
for (const test of listTests()) {
  const file = relative(root, test.file)
  if (file.startsWith('packages/conformance/')) continue // tests of the checks, not of the rules
  for (const [, id = ''] of test.name.matchAll(/\[(MQTT-[\d.]+-\d+)\]/g)) {
    for (const version of versionsOf(test, id)) {
      const key = `${version} ${id}`
      proven.set(key, (proven.get(key) ?? new Set()).add(file))
    }
  }
}

/** @type {string[]} */
const uncovered = []
let text = `# What proves each statement of the standard

Made by \`npm run coverage:protocol\`; CI fails when it is out of date or a statement is missing. A *check* is one of
[\`@godwit/conformance\`](../packages/conformance/README.md), under the statement's own id, played against the broker by
\`packages/broker/test/conformance.test.ts\` and against any other by \`godwit conform\`; that it fails when the rule is broken is
shown by \`packages/conformance/test/mutation-matrix.tsv\`. Tests are named by their file and carry the id in their title.
`
for (const [version, statements, checks] of versions) {
  const checked = new Set(checks.filter(({ skip }) => skip === undefined).map(({ id }) => id))
  text += `\n## MQTT ${version}: ${statements.length} statements\n\n| id | the rule | who | proven by |\n|---|---|---|---|\n`
  for (const { id, who, text: rule } of statements) {
    const by = [
      ...(checked.has(id) ? ['check'] : []),
      ...[...(proven.get(`${version} ${id}`) ?? [])].sort().map((file) => `\`${file}\``),
    ]
    const reason = reasons[version][id]
    if (by.length === 0 && !reason) uncovered.push(`${version} ${id} (${who}): ${rule}`)
    text += `| ${id} | ${rule.replaceAll('|', '\\|')} | ${who} | ${by.length > 0 ? by.join(', ') : `none: ${reason ?? '?'}`} |\n`
  }
}

if (uncovered.length > 0) {
  console.error(`${uncovered.length} statements have no check, no test and no reason:\n  ${uncovered.join('\n  ')}`)
  process.exitCode = 1
} else if (!process.argv.includes('--check')) {
  writeFileSync(page, text)
  console.log(`wrote ${relative(root, page)}`)
} else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/protocol-coverage.md is out of date: run `npm run coverage:protocol` and commit it')
  process.exitCode = 1
}
