// A program that runs beside us: a broker under test, a subscriber. It is ready when its output says so, and never outlives us.
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

/** How a program ended: its exit code, or the name of the signal. */
/** @typedef {number | NodeJS.Signals} Ending */

/**
 * @typedef {object} Options
 * @property {RegExp} [ready] What its output says when it may be used. Without it, it may be used at once.
 * @property {string} [cwd]
 * @property {boolean} [group] Starts it as the leader of its own process group, and stops the whole group.
 * @property {(line: string) => void} [onLine] Gets each line of its standard output.
 * @property {number} [readyMs] How long it may take to be ready, in milliseconds. 30,000 by default.
 */

export class Background {
  /** All it has printed, standard output and error as they came. */
  output = ''
  /** @type {Promise<Ending>} */
  ended

  /**
   * Starts a program and resolves when it is ready. Rejects, with what it printed, when it ends before.
   * @param {readonly string[]} command
   * @param {Options} [options]
   */
  static async start(command, options = {}) {
    const background = new Background(command, options)
    if (options.ready) await background.#ready(options.ready, options.readyMs ?? 30_000)
    return background
  }

  /**
   * @private
   * @param {readonly string[]} command
   * @param {Options} options
   */
  constructor([program = '', ...args], { cwd, group = false, onLine }) {
    this.name = `${program} ${args.join(' ')}`
    this.group = group
    this.child = spawn(program, args, { cwd, detached: group, stdio: ['pipe', 'pipe', 'pipe'] })
    this.child.stdin.on('error', () => {}) // it ended without reading: `ended` tells
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text
      })
    }
    if (onLine) createInterface({ input: this.child.stdout }).on('line', onLine)
    const kill = () => this.#signal('SIGKILL')
    process.once('exit', kill)
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.output += error.message
        resolve(127)
      })
      this.child.once('close', (code, signal) => {
        process.off('exit', kill)
        resolve(code ?? signal ?? 1)
      })
    })
  }

  get pid() {
    return this.child.pid ?? 0
  }

  /** Resolves when it has ended, and rejects unless it ended with exit code 0. */
  async success() {
    const ending = await this.ended
    if (ending !== 0) throw new Error(`${this.name} ended with ${ending}\n${this.output}`)
  }

  /**
   * Asks it to end, and waits until it has: ten seconds, then it is killed.
   * @returns {Promise<Ending>}
   */
  async stop() {
    this.#signal('SIGTERM')
    const timer = setTimeout(() => this.#signal('SIGKILL'), 10_000)
    const ending = await this.ended
    clearTimeout(timer)
    return ending
  }

  /** @param {NodeJS.Signals} signal */
  #signal(signal) {
    if (!this.group) return this.child.kill(signal)
    try {
      return process.kill(-this.pid, signal)
    } catch {
      return false // the whole group has gone
    }
  }

  /**
   * @param {RegExp} pattern
   * @param {number} limitMs
   */
  async #ready(pattern, limitMs) {
    const early = new AbortController()
    const seen = new Promise((resolve) => {
      const look = () => pattern.test(this.output) && resolve('ready')
      this.child.stdout.on('data', look)
      this.child.stderr.on('data', look)
    })
    const late = new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs, `did not say ${pattern} within ${limitMs} ms`)
      early.signal.addEventListener('abort', () => clearTimeout(timer))
    })
    const outcome = await Promise.race([seen, late, this.ended.then((ending) => `ended with ${ending}`)])
    early.abort()
    if (outcome === 'ready') return
    await this.stop()
    throw new Error(`${this.name} ${outcome}\n${this.output}`)
  }
}

/** Below those that outgoing connections are given (from 32,768 on): none can take one before it is listened on. */
let nextPort = 10_000 + randomInt(20_000)

/**
 * A TCP port on the loopback address that nobody listens on.
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (;;) {
    const port = nextPort++
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await new Promise((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false))
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
