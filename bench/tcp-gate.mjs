// A way from one program to another that can be cut, or swallow what passes, also one way alone.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/**
 * `open`: all passes. `cut`: connections end, and none is made. `swallow`: nothing passes, and nobody is told; `swallow there`, `swallow
 * back`: one way alone, as seen by who has dialled.
 * @typedef {'open' | 'cut' | 'swallow' | 'swallow there' | 'swallow back'} GateMode
 */

/** How servers of NATS say who they are on the way to another. */
const serverName = /"server_name":"([^"]+)"/

/** @typedef {{ here: import('node:net').Socket, there: import('node:net').Socket, from: string, said: string }} Pair */

export class TcpGate {
  /** @type {Set<Pair>} */
  #pairs = new Set()
  /** @type {Map<string, GateMode>} */
  #modes = new Map()
  #server

  /** @param {number} target a port of this machine */
  constructor(target) {
    this.#server = createServer((here) => this.#accept(here, target))
  }

  /** @param {number} port */
  async open(port) {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  /**
   * @param {GateMode} mode
   * @param {string} [from] for what comes from that server of NATS alone; '': for all
   */
  set(mode, from = '') {
    this.#modes.set(from, mode)
    for (const pair of this.#pairs) this.#judge(pair)
  }

  close() {
    this.#server.close()
    for (const pair of this.#pairs) this.#end(pair)
  }

  /** @param {Pair} pair */
  #modeOf({ from }) {
    const own = from === '' ? 'open' : (this.#modes.get(from) ?? 'open')
    return own === 'open' ? (this.#modes.get('') ?? 'open') : own
  }

  /** @param {import('node:net').Socket} here @param {number} target */
  #accept(here, target) {
    if (this.#modes.get('') === 'cut') return here.destroy()
    const pair = { here, there: connect(target, '127.0.0.1'), from: '', said: '' }
    this.#pairs.add(pair)
    for (const socket of [pair.here, pair.there]) {
      socket.setNoDelay()
      socket.on('error', () => {})
      socket.on('close', () => this.#end(pair))
    }
    here.on('data', (bytes) => this.#pass(pair, bytes, 'there'))
    pair.there.on('data', (bytes) => this.#pass(pair, bytes, 'back'))
  }

  /** @param {Pair} pair @param {Buffer} bytes @param {'there' | 'back'} way */
  #pass(pair, bytes, way) {
    if (way === 'there' && pair.from === '' && pair.said.length < 8_192) {
      pair.said += bytes.toString('latin1')
      pair.from = serverName.exec(pair.said)?.[1] ?? ''
      this.#judge(pair)
    }
    const mode = this.#modeOf(pair)
    if (mode === 'swallow' || mode === `swallow ${way}`) return
    const to = way === 'there' ? pair.there : pair.here
    if (!to.destroyed) to.write(bytes)
  }

  /** A connection of which something was swallowed is of no use any more. @param {Pair} pair */
  #judge(pair) {
    const mode = this.#modeOf(pair)
    const was = /** @type {{ was?: GateMode }} */ (pair)
    if (mode === 'cut' || (mode === 'open' && was.was !== undefined && was.was !== 'open')) this.#end(pair)
    was.was = mode
  }

  /** @param {Pair} pair */
  #end(pair) {
    if (!this.#pairs.delete(pair)) return
    pair.here.destroy()
    pair.there.destroy()
  }
}
