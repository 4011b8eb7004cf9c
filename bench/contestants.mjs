// The brokers that are compared, each without limits of its own and with nothing on disk unless asked.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Background, freePort } from '../scripts/background.mjs'
import { readJson, root } from '../scripts/prepare.mjs'

/** @typedef {import('./loads.mjs').Load} Load */
/** @typedef {import('./loads.mjs').Figures} Figures */
/** @typedef {import('./rows.mjs').Row} Row */

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {string} version
 * @property {(port: number, folder: string) => { command: readonly string[], ready: RegExp }} program `folder` is empty and
 * goes after the run. What `ready` captures, if anything, is the port that the program chose.
 */

const mosquittoProgram = '/usr/sbin/mosquitto'
const onNode = `on Node ${process.versions.node}`

/** @returns {Contestant} */
export function mosquitto() {
  if (!existsSync(mosquittoProgram)) throw new Error(`${mosquittoProgram} is missing: apt-get install mosquitto`)
  const usage = spawnSync(mosquittoProgram, ['-h'], { encoding: 'utf8' }).stdout
  return {
    name: 'mosquitto',
    version: /version (\S+)/.exec(usage)?.[1] ?? 'unknown',
    program(port, folder) {
      const config = join(folder, 'mosquitto.conf')
      const limits = ['max_queued_messages 0', 'max_inflight_messages 0', 'max_connections -1']
      writeFileSync(config, [`listener ${port} 127.0.0.1`, 'allow_anonymous true', ...limits, ''].join('\n'))
      return { command: [mosquittoProgram, '-c', config], ready: /version \S+ running/ }
    },
  }
}

/** @returns {Contestant} */
export function aedes() {
  const manifest = 'test/peers/node_modules/aedes/package.json'
  if (!existsSync(join(root, manifest))) throw new Error('aedes is missing: npm ci --prefix test/peers')
  const program = join(root, 'test/peers/aedes-broker.mjs')
  return {
    name: 'aedes',
    version: `${readJson(manifest).version} ${onNode}`,
    program: () => ({ command: [process.execPath, program], ready: /listening on 127\.0\.0\.1:(\d+)/ }),
  }
}

/**
 * What Node itself costs (floor.mjs): not a broker.
 * @returns {Contestant}
 */
export function floor() {
  return {
    name: 'floor',
    version: onNode,
    program: (port) => ({
      command: [process.execPath, join(root, 'bench/floor.mjs'), `${port}`],
      ready: /listening/,
    }),
  }
}

/**
 * @param {'memory' | 'disk'} data
 * @returns {Contestant}
 */
export function godwit(data) {
  return {
    name: 'godwit',
    version: `${readJson('packages/cli/package.json').version} ${onNode}`,
    program: (port, folder) => ({
      command: [
        ...[process.execPath, join(root, 'packages/cli/dist/main.js'), 'broker', '--port', `${port}`],
        ...['--data', data === 'disk' ? folder : 'memory', '--max-inflight', '65535', '--max-queued', '10000000'],
      ],
      ready: new RegExp(`\\b${port}\\b`),
    }),
  }
}

/**
 * One run: a fresh broker, the load, the figures.
 * @param {Contestant} contestant
 * @param {Row} row
 * @param {{ load: Load, seconds: number }} setting
 * @returns {Promise<Figures>}
 */
export function measure(contestant, row, { load, seconds }) {
  return withBroker(contestant, async ({ port, pid }) => {
    const generator = await Background.start(withAllFiles(load.command(row, { port, pid, seconds })))
    await generator.success()
    return load.figures(generator.output)
  })
}

/**
 * Gives some work a fresh broker.
 * @template T
 * @param {Contestant} contestant
 * @param {(broker: { port: number, pid: number }) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withBroker(contestant, work) {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-bench-'))
  const free = await freePort()
  const { command, ready } = contestant.program(free, folder)
  const broker = await Background.start(withAllFiles(command), { ready })
  try {
    return await work({ port: Number(ready.exec(broker.output)?.[1] ?? free), pid: broker.pid })
  } catch (error) {
    throw new Error(`${contestant.name}: ${error}\n${broker.output}`)
  } finally {
    await broker.stop()
    rmSync(folder, { recursive: true })
  }
}

/**
 * The same command with as many open files as the system lets it have.
 * @param {readonly string[]} command
 */
function withAllFiles(command) {
  return ['sh', '-c', 'ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"', ...command]
}
