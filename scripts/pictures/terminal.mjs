// A recording of a terminal, as an SVG that plays: the commands of README.md are really run, and what they print is drawn.
// Who asks for less motion sees the last picture.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Background } from '../background.mjs'
import { PrepareError, root } from '../prepare.mjs'

/** @typedef {{ text: string, kind: 'typed' | 'printed' | 'comment', at: number, until: number }} Line Seconds. */

const size = { line: 21, left: 18, top: 52, letter: 8.43 }
/** Letters in a line; those of a telephone wrap. */
const columns = { wide: 97, narrow: 49 }
const typing = 0.045
const godwit = `exec '${process.execPath}' '${join(root, 'packages/cli/bin/godwit.js')}'`

/** Types a command, waits for it, and gives what it has printed. */
class Recorder {
  /** @type {Line[]} */
  lines = []
  #now = 0.4

  /** @param {string} text */
  comment(text) {
    if (this.lines.length > 0) this.#add('', 'printed', 0)
    this.#add(text, 'comment', 0.5)
  }

  /** @param {string} command */
  typed(command) {
    this.#add(command, 'typed', command.length * typing + 0.5)
  }

  /** @param {string} output */
  printed(output) {
    for (const line of output.trimEnd().split('\n')) this.#add(line, 'printed', 0.12)
    this.#now += 0.9
  }

  get seconds() {
    return this.#now
  }

  /** @param {string} text @param {Line['kind']} kind @param {number} takes */
  #add(text, kind, takes) {
    const at = this.#now
    this.#now += takes
    this.lines.push({ text, kind, at, until: kind === 'typed' ? this.#now - 0.4 : at })
  }
}

/** The recording at both widths. */
export async function terminal() {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-recording-'))
  /** @type {Background[]} */
  const running = []
  /** @param {string} command @param {RegExp} [ready] */
  const begin = async (command, ready) => {
    const typed = command.replace('npx godwit', godwit)
    const one = await Background.start(['sh', '-c', typed], { cwd: folder, group: true, ...(ready && { ready }) })
    running.push(one)
    return one
  }
  const recorder = new Recorder()
  try {
    const commands = {
      broker: 'npx godwit broker',
      sub: "npx godwit sub -t 'home/#' -v",
      pub: 'npx godwit pub -t home/kitchen -m hello -q 1',
    }
    recorder.comment('# first terminal')
    recorder.typed(commands.broker)
    const broker = await begin(commands.broker, /console and HTTP API.*\n/)
    const banner = broker.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
    recorder.printed(banner.join('\n').replace(`${folder}/`, './').replaceAll(folder, '.'))
    recorder.comment('# second terminal')
    recorder.typed(commands.sub)
    const sub = await begin(`${commands.sub} -d`, /SUBACK|subscribed/i)
    recorder.comment('# third terminal')
    recorder.typed(commands.pub)
    await (await begin(commands.pub)).success()
    recorder.comment('# second terminal')
    const heard = () => sub.output.split('\n').find((line) => line === 'home/kitchen hello')
    for (let waited = 0; !heard(); waited += 50) {
      if (waited > 10_000) throw new PrepareError(`the subscriber hears nothing:\n${sub.output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    recorder.printed(heard() ?? '')
  } finally {
    for (const one of running.toReversed()) await one.stop()
    rmSync(folder, { recursive: true })
  }
  return { wide: draw(recorder, columns.wide), narrow: draw(recorder, columns.narrow) }
}

/**
 * A line as lines of so many letters; what goes on is indented.
 * @param {Line} line
 * @param {number} most
 * @returns {Line[]}
 */
function wrapped(line, most) {
  const room = most - (line.kind === 'typed' ? 2 : 0)
  if (line.text.length <= room) return [line]
  const cut = line.text.lastIndexOf(' ', room)
  const rest = { ...line, text: `    ${line.text.slice(cut).trim()}`, kind: /** @type {Line['kind']} */ ('printed') }
  return [{ ...line, text: line.text.slice(0, cut) }, ...wrapped(rest, most)]
}

/**
 * @param {Recorder} recorder
 * @param {number} most letters in a line.
 */
function draw({ lines: recorded, seconds }, most) {
  const lines = recorded.flatMap((line) => wrapped(line, most))
  const width = Math.round(most * size.letter) + 2 * size.left
  const whole = seconds + 6
  const height = size.top + lines.length * size.line + 14
  const drawn = lines.map((line, at) => drawLine(line, size.top + at * size.line, whole))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="The broker starts, one program subscribes, another publishes, and the message arrives">
<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; fill: #e8e3df }
.comment { fill: #9d938c } .prompt { fill: #e2935f; font-weight: bold }
@media (prefers-reduced-motion: no-preference) {
.show { opacity: 0; animation: ${whole.toFixed(1)}s step-end infinite }
.cover { animation: ${whole.toFixed(1)}s linear infinite }
${drawn.map(({ rules }) => rules).join('\n')}
}
</style>
<rect width="${width}" height="${height}" rx="9" fill="#211b18"/>
<circle cx="20" cy="18" r="5.5" fill="#e06c5a"/><circle cx="38" cy="18" r="5.5" fill="#e2b25f"/><circle cx="56" cy="18" r="5.5" fill="#7fae6a"/>
${drawn.map(({ shape }) => shape).join('\n')}
</svg>
`
}

/**
 * A line appears at its time; a typed one is uncovered letter by letter.
 * @param {Line} line
 * @param {number} y
 * @param {number} whole
 */
function drawLine({ text, kind, at, until }, y, whole) {
  const percent = (/** @type {number} */ second) => `${((second / whole) * 100).toFixed(2)}%`
  const id = `l${y}`
  const words = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const prompt = kind === 'typed' ? '<tspan class="prompt">$ </tspan>' : ''
  const shape = `<text class="show ${kind} ${id}" x="${size.left}" y="${y}">${prompt}${words}</text>`
  const rules = [
    `.${id} { animation-name: ${id} } @keyframes ${id} { 0% { opacity: 0 } ${percent(at)} { opacity: 1 } }`,
  ]
  if (kind !== 'typed') return { shape, rules: rules[0] }
  const x = size.left + 2 * size.letter
  const width = text.length * size.letter + 4
  const cover = `<rect class="cover c${y}" x="${x}" y="${y - 15}" width="${width}" height="${size.line}" fill="#211b18" opacity="0"/>`
  const move = `.c${y} { opacity: 1; animation-name: c${y} } @keyframes c${y} { 0%, ${percent(at)} { transform: translateX(0); opacity: 1; animation-timing-function: steps(${text.length}) } ${percent(until)} { transform: translateX(${width}px); opacity: 1 } ${percent(until + 0.01)}, 100% { transform: translateX(${width}px); opacity: 0 } }`
  return { shape: shape + cover, rules: `${rules[0]}\n${move}` }
}
