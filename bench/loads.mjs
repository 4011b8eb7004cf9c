// What makes the load: `godwit bench`, or a C program that is a still smaller part of the machine's work.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../scripts/prepare.mjs'

/** @typedef {import('./rows.mjs').Row} Row */
/** @typedef {Readonly<Record<string, number>>} Figures By metric, and `delivered_per_s`. */

/**
 * @typedef {object} Target
 * @property {number} port
 * @property {number} pid
 * @property {number} seconds
 * @property {string | undefined} ca The certificate of the server, for TLS.
 */

/**
 * @typedef {object} Load
 * @property {string} name
 * @property {(row: Row, target: Target) => readonly string[]} command
 * @property {(output: string) => Figures} figures Reads what it printed.
 */

/** @type {Load} */
export const godwitBench = {
  name: 'godwit bench',
  command(row, target) {
    const { scenario, options, over } = row
    const { port, pid, seconds, ca } = target
    if (scenario === 'handshakes') return handshakes.command(row, target)
    const url = `${schemes[over]}://127.0.0.1:${port}`
    return [
      ...[process.execPath, join(root, 'packages/cli/dist/main.js'), 'bench', scenario, url, '--json'],
      ...['--pid', `${pid}`, '--seconds', `${seconds}`, ...(ca === undefined ? [] : ['--cafile', ca])],
      ...options.split(' '),
    ]
  },
  figures(output) {
    if (!('scenario' in JSON.parse(output))) return handshakes.figures(output)
    const { messagesPerSecond, latencyMicros, broker } = JSON.parse(output)
    return {
      ...(messagesPerSecond !== null && { delivered_per_s: messagesPerSecond }),
      ...(latencyMicros && { p50_us: latencyMicros.p50, p99_us: latencyMicros.p99 }),
      ...(broker.cpuMicrosPerMessage !== null && { cpu_us_per_msg: broker.cpuMicrosPerMessage }),
      bytes_per_conn: broker.memoryBytesPerConnection,
      cpu_us_per_connect: broker.cpuMicrosPerConnection,
    }
  },
}

const schemes = /** @type {const} */ ({ tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' })

/** Connections that are made and ended, whole handshakes or sessions gone on with. @type {Pick<Load, 'command' | 'figures'>} */
const handshakes = {
  command: ({ over, options }, { port, pid, ca }) => [
    ...[process.execPath, join(root, 'bench/handshakes.mjs'), '--port', `${port}`, '--pid', `${pid}`, '--over', over],
    ...(ca === undefined ? [] : ['--ca', ca]),
    ...options.split(' ').filter(Boolean),
  ],
  figures: (output) => JSON.parse(output),
}

const shapes = /** @type {Readonly<Record<string, string>>} */ ({ fanout: 'fanout', fanin: 'fanin', p2p: 'p2p' })

/**
 * Builds the C load generator. It does not count RssAnon, so rows of bare connections stay with `godwit bench`.
 * @param {string} source
 * @param {string} folder Where the program goes.
 * @returns {Load}
 */
export function mqttload(source, folder) {
  if (!existsSync(source)) throw new Error(`the load generator ${source} is missing: leave --load out for godwit bench`)
  const program = join(folder, 'mqttload')
  execFileSync('cc', ['-O2', source, '-o', program])
  return {
    name: 'mqttload',
    command(row, target) {
      const { scenario, options } = row
      const { port, pid, seconds } = target
      if (scenario === 'conn') return godwitBench.command(row, target)
      return [
        ...[program, '--port', `${port}`, '--pid', `${pid}`, '--seconds', `${seconds}`],
        ...options.replace('--warmup', '--warm').split(' '),
        ...(scenario in shapes ? ['--shape', shapes[scenario] ?? ''] : []),
      ]
    },
    figures: (output) => ('scenario' in JSON.parse(output) ? godwitBench.figures(output) : JSON.parse(output)),
  }
}
