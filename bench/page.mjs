// The results of a comparison as a page: ratios first, then the figures, with all that is needed to judge or repeat them.
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { root } from '../scripts/prepare.mjs'
import { medianOf, ratioOf } from './compare.mjs'
import { metricNames } from './rows.mjs'

/** @typedef {import('./compare.mjs').Result} Result */
/** @typedef {import('./contestants.mjs').Contestant} Contestant */

const floorNote = `The floor is no broker but what Node itself takes (bench/floor.mjs): 1.00 would be nothing added to it, 0.50 twice as much.

`

/**
 * @param {readonly Result[]} results
 * @param {{ title: string, contestants: readonly Contestant[], ours: Contestant, load: string, runs: number, seconds: number,
 *   command: string, chart: string }} setting
 */
export function page(results, { title, contestants, ours, load, runs, seconds, command, chart }) {
  const others = contestants.filter(({ name }) => results.some(({ theirs }) => theirs.has(name)))
  const versions = [...others, ours].map(({ name, version }) => `${name} ${version}`)
  return `# ${title}

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, commit ${commit()}.
${machine()}. ${versions.join('; ')}. Load by ${load}.

Medians of ${runs} alternating runs of ${seconds} s, a fresh broker for each. "Times better" is the other's figure divided by
that of ${ours.name}, run by run: the median, and the range in brackets. The machine is shared with others: trust the
ratios, not the figures.

## Times better

![Times better than each of the others, a bar a row](${chart})

${table(['row', 'figure', ...others.map(({ name }) => `than ${name}`)], ratioLines(results, others))}

${others.some(({ name }) => name === 'floor') ? floorNote : ''}## Figures

${table(['row', 'load', 'figure', ...[...others, ours].map(({ name }) => name)], figureLines(results, others))}

## Delivered messages a second

${table(['row', ...[...others, ours].map(({ name }) => name)], rateLines(results, others))}
`
}

/**
 * @param {readonly Result[]} results
 * @param {readonly Contestant[]} others
 */
function ratioLines(results, others) {
  return results.flatMap((result) =>
    result.row.metrics.map((metric) => {
      const ratios = others.map(({ name }) => {
        const ratio = ratioOf(result, name, metric)
        return ratio ? `**${times(ratio.median)}** (${times(ratio.least)} to ${times(ratio.most)})` : ''
      })
      return [result.row.name, metricNames[metric], ...ratios]
    }),
  )
}

/**
 * @param {readonly Result[]} results
 * @param {readonly Contestant[]} others
 */
function figureLines(results, others) {
  return results.flatMap((result) =>
    result.row.metrics.map((metric) => {
      const figures = [...others.map(({ name }) => result.theirs.get(name)), result.ours]
      const { name, scenario, options } = result.row
      return [
        name,
        `\`${scenario} ${options}\``,
        metricNames[metric],
        ...figures.map((one) => figure(medianOf(one, metric))),
      ]
    }),
  )
}

/**
 * @param {readonly Result[]} results
 * @param {readonly Contestant[]} others
 */
function rateLines(results, others) {
  return results
    .filter(({ ours }) => ours[0]?.delivered_per_s !== undefined)
    .map(({ row, theirs, ours }) => {
      const figures = [...others.map(({ name }) => theirs.get(name)), ours]
      return [row.name, ...figures.map((one) => figure(Math.round(medianOf(one, 'delivered_per_s'))))]
    })
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} lines
 */
function table(head, lines) {
  if (lines.length === 0) return 'None of these rows.'
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** @param {number} value */
function figure(value) {
  if (Number.isNaN(value)) return ''
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}

/** @param {number} ratio */
function times(ratio) {
  return ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)
}

function commit() {
  const git = (/** @type {string[]} */ ...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  return (
    git('rev-parse', '--short', 'HEAD') +
    (git('status', '--porcelain', '--', '.', ':!bench/RESULTS*') === '' ? '' : ' with changes')
  )
}

function machine() {
  return `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`
}
