// The chart of README.md and of the site's first page: what bench/RESULTS.md says of CPU and memory, row by row, in words.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { draw, narrow } from '../../bench/chart.mjs'
import { PrepareError, root } from '../prepare.mjs'

/** Rows of bench/rows.mjs, and how a reader who does not know them calls them. All rows that the results have must be here. */
const words = {
  'pipe-qos0': 'small messages, QoS 0',
  'pipe-qos1': 'small messages, QoS 1',
  'pipe-qos2': 'small messages, QoS 2',
  'pipe-16k': '16 KB messages, QoS 0',
  'fan-out-qos0': '1 to 1,000 clients, QoS 0',
  'fan-out-qos1': '1 to 1,000 clients, QoS 1',
  'fan-in': '500 clients to 1, one at a time',
  'p2p-500': '500 pairs, one at a time',
  'p2p-500-qos0': '500 pairs, one at a time, QoS 0',
  'p2p-50': '50 pairs, 100 at a time',
  'durable-qos1': 'kept sessions, QoS 1',
  'durable-qos2': 'kept sessions, QoS 2',
  paced: '2,000 a second',
  idle: 'a connection',
}

/** Figures beside CPU a message, behind the row's words. */
const figures = [
  { of: /^median/, words: 'median latency' },
  { of: /^99th percentile/, words: '99 % latency' },
  { of: /^memory/, words: 'memory, idle' },
  { of: /a connection made/, words: 'CPU to connect' },
]

/** @param {boolean} [isNarrow] for a telephone. */
export function chart(isNarrow = false) {
  const page = readFileSync(join(root, 'bench/RESULTS.md'), 'utf8')
  const [, table = ''] = /## Times better\n[\s\S]*?(\| row[\s\S]*?)\n\n/.exec(page) ?? []
  const [head = '', , ...rows] = table.split('\n')
  const names = cells(head)
    .slice(2)
    .map((name) => name.replace('than ', ''))
  const groups = rows.map(cells).map(([row = '', figure = '', ...ratios]) => {
    const label = /** @type {Readonly<Record<string, string>>} */ (words)[row]
    if (!label) throw new PrepareError(`bench/RESULTS.md has a row ${row}: give it words in scripts/pictures/chart.mjs`)
    const more = figures.find(({ of }) => of.test(figure))?.words
    const bars = ratios
      .map((text, at) => ({ name: names[at] ?? '', ratio: Number.parseFloat(text.replaceAll('*', '')) }))
      .filter(({ name, ratio }) => name !== 'floor' && ratio > 0)
    return { label: more ? `${label}: ${more}` : label, bars }
  })
  if (isNarrow) return draw(groups, 'How many times less Godwit takes than the other', narrow)
  return draw(groups, 'How many times less CPU, time or memory Godwit takes. Left of the line, the other takes less.')
}

/** @param {string} line */
const cells = (line) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
