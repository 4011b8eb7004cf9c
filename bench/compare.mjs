// Godwit beside mosquitto under the same load: alternating runs, a fresh broker each, medians and the ratio run by run.
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { root } from '../scripts/prepare.mjs'
import { measure } from './contestants.mjs'
import { metricNames } from './rows.mjs'

/** @typedef {import('./contestants.mjs').Contestant} Contestant */
/** @typedef {import('./contestants.mjs').Figures} Figures */
/** @typedef {import('./rows.mjs').Row} Row */

/**
 * What one row came to.
 * @typedef {object} Result
 * @property {Row} row
 * @property {readonly Figures[]} theirs A line of figures a run.
 * @property {readonly Figures[]} ours
 */

/**
 * @param {Row} row
 * @param {{ theirs: Contestant, ours: Contestant, load: string, runs: number, seconds: number }} setting
 * @returns {Promise<Result>}
 */
export async function compareRow(row, { theirs, ours, load, runs, seconds }) {
  const command = [load, '--seconds', `${seconds}`, ...row.load.split(' ')]
  /** @type {{ theirs: Figures[], ours: Figures[] }} */
  const figures = { theirs: [], ours: [] }
  for (let run = 0; run < runs; run += 1) {
    figures.theirs.push(await measure(theirs, command))
    figures.ours.push(await measure(ours, command))
    const [a, b] = [figures.theirs.at(-1)?.[row.metric], figures.ours.at(-1)?.[row.metric]]
    console.log(`${row.name} ${run + 1}/${runs}: ${theirs.name} ${a}, ${ours.name} ${b} (${metricNames[row.metric]})`)
  }
  return { row, ...figures }
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}

/**
 * The median of the runs' ratios, theirs by ours, and their range.
 * @param {Result} result
 */
function ratioOf({ row, theirs, ours }) {
  const ratios = theirs.map(
    (figures, run) => (figures[row.metric] ?? Number.NaN) / (ours[run]?.[row.metric] ?? Number.NaN),
  )
  return `**${median(ratios).toFixed(1)}** (${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)})`
}

/** @param {Result} result */
function tableLine({ row, theirs, ours }) {
  /** @param {readonly Figures[]} figures @param {string} key */
  const middle = (figures, key) => median(figures.map((one) => one[key] ?? Number.NaN))
  /** @param {readonly Figures[]} figures */
  const rate = (figures) => {
    const value = middle(figures, 'delivered_per_s')
    return Number.isNaN(value) ? '–' : Math.round(value).toLocaleString('en')
  }
  const cells = [
    `${row.name}<br>\`${row.load}\``,
    metricNames[row.metric],
    middle(theirs, row.metric).toPrecision(3),
    middle(ours, row.metric).toPrecision(3),
    ratioOf({ row, theirs, ours }),
    rate(theirs),
    rate(ours),
  ]
  return `| ${cells.join(' | ')} |`
}

/**
 * The results as a page, with all that is needed to judge or repeat them.
 * @param {readonly Result[]} results
 * @param {{ theirs: Contestant, ours: Contestant, runs: number, command: string }} setting
 */
export function page(results, { theirs, ours, runs, command }) {
  return `# Godwit beside mosquitto

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, commit ${commit()}.
${machine()}. ${theirs.name} ${theirs.version}; ${ours.name} ${ours.version}.

Medians of ${runs} alternating runs, a fresh broker for each. "Times better" is ${theirs.name}'s figure divided by ours, run by
run: the median, and the range in brackets. The machine is shared with others: trust the ratios, not the figures.

| row | figure | ${theirs.name} | ${ours.name} | times better | ${theirs.name}, delivered/s | ${ours.name}, delivered/s |
|---|---|---|---|---|---|---|
${results.map(tableLine).join('\n')}
`
}

function commit() {
  const git = (/** @type {string[]} */ ...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' with changes')
}

function machine() {
  return `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`
}
