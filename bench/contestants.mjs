// The brokers that are compared, each without limits of its own and with nothing on disk unless asked.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Background, freePort } from '../scripts/background.mjs'
import { readJson, root } from '../scripts/prepare.mjs'

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {string} version
 * @property {(port: number, folder: string) => { command: readonly string[], ready: RegExp }} program `folder` is empty and
 * goes after the run.
 */

/** @typedef {Record<string, number>} Figures One line of the load generator. */

const mosquittoProgram = '/usr/sbin/mosquitto'

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

/**
 * @param {'memory' | 'disk'} data
 * @returns {Contestant}
 */
export function godwit(data) {
  return {
    name: 'godwit',
    version: `${readJson('packages/cli/package.json').version} on Node ${process.versions.node}`,
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
 * Builds the load generator.
 * @param {string} source Its C file.
 * @param {string} folder Where the program goes.
 */
export function buildLoad(source, folder) {
  if (!existsSync(source)) throw new Error(`the load generator ${source} is missing: name its C file with --load`)
  const program = join(folder, 'mqttload')
  execFileSync('cc', ['-O2', source, '-o', program])
  return program
}

/**
 * One run: a fresh broker, the load, the figures.
 * @param {Contestant} contestant
 * @param {readonly string[]} load The load generator and its options.
 * @returns {Promise<Figures>}
 */
export async function measure(contestant, load) {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-bench-'))
  const port = await freePort()
  const { command, ready } = contestant.program(port, folder)
  const broker = await Background.start(withAllFiles(command), { ready })
  try {
    const generator = await Background.start(withAllFiles([...load, '--port', `${port}`, '--pid', `${broker.pid}`]))
    await generator.success()
    return JSON.parse(generator.output)
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
