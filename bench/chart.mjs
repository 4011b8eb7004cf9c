// The ratios of a comparison as one SVG: a bar for each row and contestant on a logarithmic scale, 1 being as good.
import { ratioOf } from './compare.mjs'
import { metricNames } from './rows.mjs'

/** @typedef {import('./compare.mjs').Result} Result */

const wide = { width: 760, labels: 240, values: 60, bar: 12, gap: 14, head: 54, foot: 30 }
/** For the page of a telephone. */
export const narrow = { ...wide, width: 440, labels: 196, values: 42 }
/** Told apart in both schemes, and by those who do not see red and green. */
const colours = { mosquitto: '#3b7dd8', aedes: '#d98b2b', floor: '#808080', 'Node 20': '#3b7dd8', 'Node 24': '#d98b2b' }

/** @typedef {{ label: string, bars: readonly { name: string, ratio: number }[] }} Group One row and its contestants. */

/**
 * The chart of a comparison.
 * @param {readonly Result[]} results
 * @param {string} [ours] What ours is called.
 */
export function chart(results, ours = 'godwit') {
  const title = `How many times better ${ours} is (logarithmic; right of the line: ${ours} is better)`
  return draw(results.flatMap(groupsOf), title, wide, ours)
}

/**
 * Bars on a logarithmic scale. The background is the page's; text and lines follow the reader's light or dark scheme.
 * @param {readonly Group[]} groups
 * @param {string} title
 * @param {typeof wide} [size]
 * @param {string} [ours] What ours is called.
 */
export function draw(groups, title, size = wide, ours = 'godwit') {
  const ratios = groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio))
  const least = Math.min(0.5, ...ratios)
  const scale = (size.width - size.labels - size.values) / Math.log(Math.max(2, ...ratios) / least)
  /** @param {number} ratio */
  const x = (ratio) => size.labels + Math.log(ratio / least) * scale
  let y = size.head
  const drawn = groups.map(({ label, bars }) => {
    const from = y
    y += bars.length * size.bar + size.gap
    return group(label, bars, from, x, size)
  })
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map(({ name }) => name)))]
  const height = y + size.foot - size.gap
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" role="img" aria-labelledby="title">
<title id="title">How many times better ${ours} is</title>
<style>
text { font: 12px system-ui, sans-serif; fill: #24292f } .one { stroke: #24292f } .grid { stroke: #8884 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .one { stroke: #e6edf3 } }
</style>
<text x="8" y="18">${title}</text>
${names.map((name, at) => legend(name, size.labels + at * 110)).join('\n')}
${ticks(least, Math.max(2, ...ratios))
  .map((tick) => tickMark(tick, x(tick), size, height))
  .join('\n')}
${drawn.join('\n')}
</svg>
`
}

/** @param {Result} result */
function groupsOf(result) {
  const { row, theirs } = result
  return row.metrics
    .map((metric) => ({
      label: row.metrics.length === 1 ? row.name : `${row.name}: ${metricNames[metric].split(/ \(|,/)[0]}`,
      bars: [...theirs.keys()].map((name) => ({ name, ratio: ratioOf(result, name, metric)?.median ?? Number.NaN })),
    }))
    .map(({ label, bars }) => ({ label, bars: bars.filter(({ ratio }) => ratio > 0 && Number.isFinite(ratio)) }))
    .filter(({ bars }) => bars.length > 0)
}

/**
 * @param {string} label
 * @param {readonly { name: string, ratio: number }[]} bars
 * @param {number} top
 * @param {(ratio: number) => number} x
 * @param {typeof wide} size
 */
function group(label, bars, top, x, size) {
  const middle = top + (bars.length * size.bar) / 2 + 4
  const lines = bars.map(({ name, ratio }, at) => {
    const [from, to] = [x(1), x(ratio)].sort((a, b) => a - b)
    const y = top + at * size.bar
    const box = `x="${round(from)}" y="${y}" width="${round(Math.max(1, (to ?? 0) - (from ?? 0)))}" height="${size.bar - 2}"`
    const value = `x="${round((to ?? 0) + 5)}" y="${y + size.bar - 3}"`
    return `<rect ${box} fill="${colourOf(name)}"/><text ${value}>${ratio.toPrecision(3)}</text>`
  })
  return `<text x="${size.labels - 10}" y="${middle}" text-anchor="end">${short(label)}</text>${lines.join('')}`
}

/** @param {string} label */
function short(label) {
  return label.length > 38 ? `${label.slice(0, 37)}…` : label
}

/**
 * @param {string} name
 * @param {number} x
 */
function legend(name, x) {
  return `<rect x="${x}" y="28" width="10" height="10" fill="${colourOf(name)}"/><text x="${x + 15}" y="37">than ${name}</text>`
}

/** @param {string} name */
function colourOf(name) {
  return /** @type {Readonly<Record<string, string>>} */ (colours)[name] ?? '#808080'
}

/**
 * @param {number} least
 * @param {number} most
 */
function ticks(least, most) {
  return [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].filter((tick) => tick >= least && tick <= most)
}

/**
 * @param {number} tick
 * @param {number} x
 * @param {typeof wide} size
 * @param {number} height
 */
function tickMark(tick, x, size, height) {
  const line = `x1="${round(x)}" x2="${round(x)}" y1="${size.head - 6}" y2="${height - size.foot + 8}"`
  const text = `<text x="${round(x)}" y="${height - 6}" text-anchor="middle">${tick}</text>`
  return `<line ${line} class="${tick === 1 ? 'one' : 'grid'}"/>${text}`
}

/** @param {number} value */
function round(value = 0) {
  return Math.round(value * 10) / 10
}
