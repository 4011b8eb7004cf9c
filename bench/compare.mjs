// Godwit beside others under the same load: alternating runs, a fresh broker each.
import { measure } from './contestants.mjs'
import { metricNames } from './rows.mjs'

/** @typedef {import('./contestants.mjs').Certificate} Certificate */
/** @typedef {import('./contestants.mjs').Contestant} Contestant */
/** @typedef {import('./loads.mjs').Figures} Figures */
/** @typedef {import('./loads.mjs').Load} Load */
/** @typedef {import('./rows.mjs').Metric} Metric */
/** @typedef {import('./rows.mjs').Row} Row */

/**
 * What one row came to.
 * @typedef {object} Result
 * @property {Row} row
 * @property {readonly Figures[]} ours By run.
 * @property {ReadonlyMap<string, readonly Figures[]>} theirs By contestant, by run.
 */

/**
 * @typedef {object} Setting
 * @property {ReadonlyMap<string, Contestant>} contestants By name, without ours.
 * @property {Contestant} ours
 * @property {Load} load
 * @property {number} runs
 * @property {number} seconds
 * @property {Certificate} [certificate] For rows over TLS.
 */

/**
 * @param {Row} row
 * @param {Setting} setting
 * @returns {Promise<Result>}
 */
export async function compareRow(row, { contestants, ours, load, runs, seconds, certificate }) {
  const others = row.beside.flatMap((name) => contestants.get(name) ?? [])
  /** @type {Map<string, Figures[]>} */
  const theirs = new Map(others.map(({ name }) => [name, []]))
  /** @type {Figures[]} */
  const own = []
  const each = { load, seconds, ...(certificate && { certificate }) }
  for (let run = 0; run < runs; run += 1) {
    for (const other of others) theirs.get(other.name)?.push(await measure(other, row, each))
    own.push(await measure(ours, row, each))
    for (const metric of row.metrics) {
      const values = [...theirs, /** @type {const} */ ([ours.name, own])].map(
        ([name, figures]) => `${name} ${figures[run]?.[metric]?.toPrecision(3)}`,
      )
      console.log(`${row.name} ${run + 1}/${runs}: ${values.join(', ')} (${metricNames[metric]})`)
    }
  }
  return { row, ours: own, theirs }
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}

/**
 * The median of one figure.
 * @param {readonly Figures[] | undefined} figures By run.
 * @param {string} name
 */
export function medianOf(figures = [], name) {
  return median(figures.map((one) => one[name] ?? Number.NaN))
}

/**
 * The figure of another divided by ours, run by run: how many times better we are.
 * @param {Result} result
 * @param {string} other
 * @param {Metric} metric
 * @returns {{ median: number, least: number, most: number } | undefined} Undefined when the two were not compared.
 */
export function ratioOf({ ours, theirs }, other, metric) {
  const figures = theirs.get(other)
  if (!figures) return undefined
  const ratios = figures.map((one, run) => (one[metric] ?? Number.NaN) / (ours[run]?.[metric] ?? Number.NaN))
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) }
}
