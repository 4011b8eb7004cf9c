// A nats-server or a broker of the stage on which a cluster is put to the test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A process of the stage, which can be started again. */
export class Actor {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  child
  /** Where it keeps its data, if it has a disk of its own. @type {import('./loop-disk.mjs').LoopDisk | undefined} */
  disk
  /** Ways to it: of a nats-server from the others, of a node to each nats-server. @type {readonly import('./tcp-gate.mjs').TcpGate[]} */
  gates = []
  /** The way to a node by which other nodes bring their clients. @type {import('./tcp-gate.mjs').TcpGate | undefined} */
  edgeGate
  /** @type {Readonly<Record<string, string>>} */
  env = {}
  /** @param {string} name @param {string} folder of the stage @param {readonly string[]} line */
  constructor(name, folder, line) {
    this.name = name
    this.log = join(folder, `${name}.log`)
    this.line = line
    /** What its wall clock is ahead, in ms, stands there. */
    this.clock = join(folder, `${name}.clock`)
  }

  /** @param {number} ms */
  step(ms) {
    writeFileSync(this.clock, String(ms))
  }

  start() {
    const log = openSync(this.log, 'a')
    const [program = '', ...args] = this.line
    this.child = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, GODWIT_HTTP__LISTEN: 'none', BENCH_CLOCK: this.clock, ...this.env },
    })
    this.#watch()
  }

  /** As its unit would: one that gives up by itself is started again. */
  #watch() {
    const { child } = this
    child?.once('exit', () => {
      if (this.child === child) setTimeout(() => this.child === child && this.start(), 500)
    })
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.child?.kill(signal)
  }

  /** @param {NodeJS.Signals} [signal] */
  async end(signal = 'SIGKILL') {
    const child = this.child
    this.child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    child.kill('SIGCONT')
    await ended
  }
}
