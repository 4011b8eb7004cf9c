// The files of packaging/cluster, played on this machine: three NATS servers with their TLS, users and rights, and two brokers on them, of
// which one takes over. Compose has no engine here: what it mounts and names is compared.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { fetchedNats } from '../bench/cluster-stage.mjs'
import { Background, freePort } from './background.mjs'
import { PrepareError, report, root } from './prepare.mjs'

const files = join(root, 'packaging/cluster')
const command = [process.execPath, join(root, 'packages/cli/bin/godwit.js')]
const servers = ['n1', 'n2', 'n3']
const nodes = ['a', 'b']
const password = 'trial-password'

/** @param {string} name */
const textOf = (name) => readFileSync(join(files, name), 'utf8')

/** What Compose mounts is there, or is made by what its head says; each service is named as the configurations name it. */
function checkCompose() {
  const text = textOf('compose.yaml')
  const { services } = parse(text, { merge: true })
  if (Object.keys(services).join() !== [...servers, ...nodes].join())
    throw new PrepareError('compose.yaml: other services')
  const made = [...servers, ...nodes].map((name) => `./tls/${name}`).concat('./passwords', './nats-password')
  for (const [name, { volumes, environment }] of Object.entries(services)) {
    for (const [from = ''] of volumes.map((/** @type {string} */ one) => one.split(':'))) {
      const isThere = from === name || made.includes(from) || existsSync(join(files, from))
      if (!isThere) throw new PrepareError(`compose.yaml: ${name} mounts ${from}, which nobody makes`)
    }
    const wants = servers.includes(name) ? { NATS_NAME: name } : { GODWIT_CLUSTER__NODE: name }
    for (const [variable, value] of Object.entries(wants)) {
      if (environment[variable] !== value) throw new PrepareError(`compose.yaml: ${name} has no ${variable}: ${value}`)
    }
  }
}

/** The same text for servers of one machine. @param {string} folder @param {string} name @param {Readonly<Record<string, number>>} ports */
function natsOnLoopback(folder, name, ports) {
  const routes = servers.map((one) => `nats://127.0.0.1:${ports[`${one} route`]}`)
  return textOf('nats.conf')
    .replace('0.0.0.0:4222', `127.0.0.1:${ports[`${name} client`]}`)
    .replace('0.0.0.0:8222', `127.0.0.1:${ports[`${name} monitoring`]}`)
    .replace('0.0.0.0:6222', `127.0.0.1:${ports[`${name} route`]}`)
    .replace(/routes: \[.*\]/, `routes: [${routes.join(', ')}]`)
    .replace('/var/lib/godwit-nats', join(folder, 'data', name))
    .replaceAll('/etc/godwit-nats/tls', join(folder, 'tls', name))
}

/** @param {string} folder @param {string} name @param {Readonly<Record<string, number>>} ports */
function nodeOnLoopback(folder, name, ports) {
  const text = textOf('godwit.yaml')
    .replaceAll('/etc/godwit/tls', join(folder, 'tls', name))
    .replaceAll('/etc/godwit', folder)
    .replaceAll('/var/lib/godwit', join(folder, 'data', name))
  const settings = parse(text)
  settings.listeners[0].host = '127.0.0.1'
  settings.listeners[0].port = ports[`${name} clients`]
  settings.metrics = ports[`${name} metrics`]
  settings.http.listen = 'none'
  settings.cluster.servers = servers.map((one) => `tls://127.0.0.1:${ports[`${one} client`]}`)
  settings.cluster.monitoring = servers.map((one) => `http://127.0.0.1:${ports[`${one} monitoring`]}`)
  return stringify(settings)
}

/** @param {string} program nats-server @param {string} folder */
async function play(program, folder) {
  /** @type {Record<string, number>} */
  const ports = {}
  for (const one of servers)
    for (const what of ['client', 'route', 'monitoring']) ports[`${one} ${what}`] = await freePort()
  for (const one of nodes) for (const what of ['clients', 'metrics', 'node']) ports[`${one} ${what}`] = await freePort()
  const certified = [...servers, ...nodes].map((name) => `${name},localhost,127.0.0.1`)
  ran([join(files, 'certificates.sh'), join(folder, 'tls'), ...certified])
  writeFileSync(join(folder, 'nats-password'), `${password}\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'passwords'), '', { mode: 0o600 })
  /** @type {Background[]} */
  const running = []
  try {
    for (const name of servers) {
      mkdirSync(join(folder, 'data', name), { recursive: true })
      const file = join(folder, `${name}.conf`)
      writeFileSync(file, natsOnLoopback(folder, name, ports))
      const line = ['env', `NATS_NAME=${name}`, `GODWIT_NATS_PASSWORD=${password}`, program, '-c', file]
      ran([...line, '-t'])
      running.push(await Background.start(line))
    }
    for (const name of servers) await healthy(`http://127.0.0.1:${ports[`${name} monitoring`]}/healthz`)
    /** @type {Background[]} */
    const started = []
    for (const name of nodes) {
      const file = join(folder, `${name}.yaml`)
      writeFileSync(file, nodeOnLoopback(folder, name, ports))
      const around = [
        'env',
        `GODWIT_CLUSTER__NODE=${name}`,
        `GODWIT_CLUSTER__FORWARD__LISTEN=127.0.0.1:${ports[`${name} node`]}`,
      ]
      ran([...around, ...command, 'config', 'check', file])
      const ready = name === 'a' ? /an MQTT broker/ : /Node b of the cluster plant/
      const node = await Background.start([...around, ...command, 'broker', '--config', file], { ready })
      running.push(node)
      started.push(node)
    }
    const [a, b] = /** @type {[Background, Background]} */ (started)
    if (!/each acknowledged frame is on disk/.test(a.output)) throw new PrepareError(`a does not know it:\n${a.output}`)
    const data = join(folder, 'data', 'a')
    ran([...command, 'cluster', 'snapshot', '--data', data])
    const status = ran([...command, 'cluster', 'status', '--data', data])
    if (!/owner a;[\s\S]*snapshots: frame \d/.test(status)) {
      throw new PrepareError(`another state:\n${status}\na says:\n${a.output}\nb says:\n${b.output}`)
    }
    ran([...command, 'cluster', 'handover', '--data', data])
    for (const end = Date.now() + 20_000; !/an MQTT broker/.test(b.output); ) {
      if (Date.now() > end) throw new PrepareError(`b does not take over:\n${b.output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  } finally {
    for (const one of running.reverse()) one.child.kill('SIGKILL')
    await Promise.all(running.map((one) => one.ended))
  }
}

/** @param {readonly string[]} line @returns what it has printed. */
function ran([program = '', ...args]) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', cwd: files })
  if (status === 0) return stdout
  throw new PrepareError(`${program} ${args.join(' ')}: ${error?.message ?? `exit code ${status}`}\n${stdout}${stderr}`)
}

/** @param {string} url */
async function healthy(url) {
  for (const end = Date.now() + 30_000; ; ) {
    const isHealthy = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isHealthy) return
    if (Date.now() > end) throw new PrepareError(`${url} is not healthy`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

await report(async () => {
  checkCompose()
  const programs = fetchedNats()
  if (programs.length === 0) throw new PrepareError('there is no nats-server: scripts/fetch-nats.sh')
  for (const program of programs) {
    const folder = mkdtempSync(join(tmpdir(), 'godwit-cluster-files-'))
    try {
      await play(program, folder)
      console.log(
        `files of a cluster: ${ran([program, '--version']).trim()}: three servers and two nodes run on them, and one takes over`,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
})
