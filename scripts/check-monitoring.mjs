// What Prometheus reads of a broker under load, the alert rules and the dashboard, held to Debian's promtool and to each other.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './prepare.mjs'

const command = join(root, 'packages/cli/bin/godwit.js')
const rules = join(root, 'packaging/prometheus')
/** What only a broker with bridges or plugins shows, or a node of a cluster. */
const besides = [
  'packages/cli/src/monitoring/bridges-text.ts',
  'packages/cli/src/monitoring/plugin-text.ts',
  'packages/cli/src/cluster/cluster-pages.ts',
  'packages/broker/src/inspection/prometheus.ts',
].flatMap((file) => {
  const names = readFileSync(join(root, file), 'utf8').matchAll(/'(godwit_(?:bridge|plugin|cluster|forward)[a-z_]*)'/g)
  return [...names].map(([, name = '']) => name)
})
const folder = mkdtempSync(join(tmpdir(), 'godwit-monitoring-'))
const broker = spawn(process.execPath, [
  command,
  'broker',
  '--port',
  '0',
  '--metrics',
  '0',
  '--data',
  join(folder, 'data'),
])
try {
  await check()
  console.log('monitoring: the metrics of a broker under load, the alert rules and the dashboard hold')
} catch (error) {
  console.error(`monitoring: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  broker.kill()
  await once(broker, 'close')
  rmSync(folder, { recursive: true })
}

async function check() {
  const banner = String((await once(broker.stdout, 'data'))[0])
  const [, port] = /listening on 127\.0\.0\.1:(\d+)/.exec(banner) ?? []
  const [, metrics] = /(http:\S+\/metrics)/.exec(banner) ?? []
  if (port === undefined || metrics === undefined) throw new Error(`no address in the banner:\n${banner}`)
  const bench = ['bench', 'pipe', `127.0.0.1:${port}`, '--qos', '1', '--clean', '0', '--seconds', '2', '--warmup', '0']
  const load = spawn(process.execPath, [command, ...bench], { stdio: 'ignore' })
  const texts = []
  for (const ended = once(load, 'close'); load.exitCode === null; ) {
    texts.push(await (await fetch(metrics)).text())
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500))])
  }
  if (load.exitCode !== 0) throw new Error(`the load ended with exit code ${load.exitCode}: godwit ${bench.join(' ')}`)
  const last = await (await fetch(metrics)).text()
  for (const text of [...texts, last]) promtool(['check', 'metrics'], text)
  for (const name of ['godwit_messages_received_total{qos="1"}', 'godwit_commit_fsync_seconds_count']) {
    if (!(Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (.*)$`, 'm').exec(last)?.[1]) > 0)) {
      throw new Error(`${name} has counted nothing of the load`)
    }
  }
  promtool(['check', 'config', 'prometheus.yml'])
  promtool(['check', 'rules', 'godwit.rules.yml'])
  promtool(['test', 'rules', 'godwit.rules.test.yml'])
  const files = ['packaging/prometheus/godwit.rules.yml', 'packaging/grafana/godwit.json', 'docs/monitoring.md']
  for (const file of files) namesKnown(file, last)
  const page = readFileSync(join(root, 'docs/monitoring.md'), 'utf8')
  const shown = [...last.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name)
  const untold = [...shown, ...besides].filter((name) => !page.includes(name))
  if (untold.length > 0) throw new Error(`docs/monitoring.md does not tell of ${untold.join(', ')}`)
}

/**
 * @param {readonly string[]} args
 * @param {string} [input]
 */
function promtool(args, input) {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { cwd: rules, input, encoding: 'utf8' })
  if (error) throw new Error(`promtool cannot be run (${error.message}); it is in Debian's package prometheus`)
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`)
}

/**
 * Whatever is asked for is there. What only a broker with TLS, or with bridges, shows is known too.
 * @param {string} file
 * @param {string} text
 */
function namesKnown(file, text) {
  const known = new Set([...text.matchAll(/^(?:# TYPE )?([a-z_]+)/gm)].map(([, name]) => name))
  known.add('godwit_tls_certificate_expiry_timestamp_seconds')
  for (const name of besides) known.add(name)
  const asked = readFileSync(join(root, file), 'utf8').matchAll(/\b(?:godwit|process|nodejs)_[a-z_]+/g)
  const unknown = [...new Set([...asked].map(([name]) => name))].filter((name) => !known.has(name))
  if (unknown.length > 0) throw new Error(`${file} asks for ${unknown.join(', ')}, which no broker shows`)
}
