// The brokers that are compared, each without limits of its own and with nothing on disk unless asked.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Background, freePort } from '../scripts/background.mjs'
import { readJson, root } from '../scripts/prepare.mjs'

/** @typedef {import('./loads.mjs').Load} Load */
/** @typedef {import('./loads.mjs').Figures} Figures */
/** @typedef {import('./rows.mjs').Row} Row */
/** @typedef {import('./rows.mjs').Over} Over */

/** Files in PEM form. @typedef {{ cert: string, key: string }} Certificate */

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {string} version
 * @property {(at: Place) => { command: readonly string[], ready: RegExp }} program What `ready` captures, if anything, is the port
 * that the program chose.
 */

/**
 * @typedef {object} Place
 * @property {number} port
 * @property {string} folder It is empty, and goes after the run.
 * @property {Over} over
 * @property {Certificate | undefined} certificate For TLS.
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
    program({ port, folder, over, certificate }) {
      const config = join(folder, 'mosquitto.conf')
      const limits = ['max_queued_messages 0', 'max_inflight_messages 0', 'max_connections -1']
      const { cert, key } = certificate ?? {}
      const isWebSocket = over === 'ws' || over === 'wss'
      const listener = [
        `listener ${port} 127.0.0.1`,
        ...(isWebSocket ? ['protocol websockets'] : []),
        ...(cert && key ? [`certfile ${cert}`, `keyfile ${key}`] : []),
      ]
      // Started by root it would become another user, who cannot read the key.
      const more = ['allow_anonymous true', `user ${userInfo().username}`]
      // With listeners for WebSocket alone 2.0.11 does not start.
      if (isWebSocket) more.push(`listener 0 ${join(folder, 'unused.sock')}`)
      writeFileSync(config, [...listener, ...more, ...limits, ''].join('\n'))
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
    program: ({ over, certificate }) => ({
      command: [process.execPath, program, over, ...filesOf(certificate)],
      ready: /listening on 127\.0\.0\.1:(\d+)/,
    }),
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
    program: ({ port, certificate }) => ({
      command: [process.execPath, join(root, 'bench/floor.mjs'), `${port}`, ...filesOf(certificate)],
      ready: /listening/,
    }),
  }
}

/**
 * @param {'memory' | 'disk'} data
 * @param {{ name: string, node: string, version: string }} [on] Another release of Node; `version` is what it says of itself.
 * @returns {Contestant}
 */
export function godwit(data, on) {
  const { version } = readJson('packages/cli/package.json')
  return {
    name: on?.name ?? 'godwit',
    version: `${version} ${on ? `on Node ${on.version}` : onNode}`,
    program({ port, folder, over, certificate }) {
      const config = join(folder, 'godwit.json')
      const listener = { port, protocol: protocols[over], ...(certificate && { tls: certificate }) }
      writeFileSync(config, JSON.stringify({ listeners: [listener] }))
      return {
        command: [
          ...[on?.node ?? process.execPath, join(root, 'packages/cli/dist/main.js'), 'broker', '--config', config],
          ...['--data', data === 'disk' ? folder : 'memory', '--max-inflight', '65535', '--max-queued', '10000000'],
        ],
        ready: new RegExp(`\\b${port}\\b`),
      }
    },
  }
}

const protocols = /** @type {const} */ ({ tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' })

/** @param {Certificate | undefined} certificate */
const filesOf = (certificate) => (certificate ? [certificate.cert, certificate.key] : [])

/**
 * One run: a fresh broker, the load, the figures.
 * @param {Contestant} contestant
 * @param {Row} row
 * @param {{ load: Load, seconds: number, certificate?: Certificate, before?: () => Promise<void> }} setting `certificate` for rows
 *   over TLS; `before` is waited for before the load begins.
 * @returns {Promise<Figures>}
 */
export function measure(contestant, row, { load, seconds, certificate, before = async () => {} }) {
  const shown = row.over === 'tls' || row.over === 'wss' ? certificate : undefined
  const work = async (/** @type {{ port: number, pid: number }} */ { port, pid }) => {
    await before()
    const command = load.command(row, { port, pid, seconds, ca: shown?.cert })
    const generator = await Background.start(withAllFiles(command))
    await generator.success()
    return load.figures(generator.output)
  }
  return withBroker(contestant, work, { over: row.over, certificate: shown })
}

/**
 * Gives some work a fresh broker.
 * @template T
 * @param {Contestant} contestant
 * @param {(broker: { port: number, pid: number }) => Promise<T>} work
 * @param {Pick<Place, 'over' | 'certificate'>} [reached] over TCP by default
 * @returns {Promise<T>}
 */
export async function withBroker(contestant, work, reached = { over: 'tcp', certificate: undefined }) {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-bench-'))
  const free = await freePort()
  const { command, ready } = contestant.program({ port: free, folder, ...reached })
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
export function withAllFiles(command) {
  return ['sh', '-c', 'ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"', ...command]
}
