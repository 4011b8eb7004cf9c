// What a badge says, read from where it is true: package.json and docs/conformance.md. One picture, no service is asked.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PrepareError, readJson, root } from '../prepare.mjs'

const height = 22
const letter = 6.6

export function badges() {
  const { engines, license } = readJson('package.json')
  const page = readFileSync(join(root, 'docs/conformance.md'), 'utf8')
  const [, old = '', recent = ''] = /^\| Godwit [^|]*\| (\d+), 0, \d+ \| (\d+), 0, \d+ \|$/m.exec(page) ?? []
  if (old === '') throw new PrepareError('docs/conformance.md no longer says that Godwit fails no statement')
  const all = [
    ['Node', `${engines.node.replace('>=', '')} or newer`, '#3c7a3c'],
    ['MQTT', '3.1.1 and 5.0', '#b4531f'],
    ['conformance', `${Number(old) + Number(recent)} passed, 0 failed`, '#2f6f9f'],
    ['licence', license, '#5c5c66'],
  ]
  let x = 0
  const drawn = all.map(([name = '', value = '', colour = '']) => {
    const [left, right] = [name, value].map((text) => Math.round(text.length * letter) + 14)
    const at = x
    x += (left ?? 0) + (right ?? 0) + 8
    return badge({ at, left: left ?? 0, right: right ?? 0, name, value, colour })
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${x - 8}" height="${height}" viewBox="0 0 ${x - 8} ${height}" role="img" aria-label="${all.map(([name, value]) => `${name} ${value}`).join(', ')}">
<style>text { font: 11px Verdana, DejaVu Sans, sans-serif; fill: #fff }</style>
${drawn.join('\n')}
</svg>
`
}

/** @param {{ at: number, left: number, right: number, name: string, value: string, colour: string }} one */
function badge({ at, left, right, name, value, colour }) {
  const text = (/** @type {number} */ x, /** @type {number} */ width, /** @type {string} */ words) =>
    `<text x="${x + width / 2}" y="15" text-anchor="middle" textLength="${width - 14}">${words}</text>`
  return `<g><rect x="${at}" width="${left + right}" height="${height}" rx="4" fill="#3a3a40"/><path d="M${at + left} 0h${right - 4}a4 4 0 0 1 4 4v${height - 8}a4 4 0 0 1 -4 4h-${right - 4}z" fill="${colour}"/>${text(at, left, name)}${text(at + left, right, value)}</g>`
}
