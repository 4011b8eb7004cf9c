// Plays a bridge through kills, cuts and restarts of either side under load, and counts what was lost, came twice, came out of
// order or came back: node bench/bridge-rounds.mjs --rounds 20 [--only mosquitto,5,2,both] [--seed N]
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { connect } from '../packages/client/dist/index.js'

/** @typedef {'godwit' | 'mosquitto'} Kind */
/** @typedef {'out' | 'in' | 'both'} Direction */
/**
 * What is played.
 * @typedef {object} Game
 * @property {Kind} far The other broker.
 * @property {4 | 5} version
 * @property {0 | 1 | 2} qos
 * @property {Direction} direction
 * @property {number} rounds
 * @property {number} seed
 * @property {number} [roundMs] How long a round lasts, at least.
 */
/**
 * @typedef {object} Tally
 * @property {number} sent
 * @property {number} lost
 * @property {number} twice
 * @property {number} disordered
 * @property {number} echoes
 * @property {string[]} retained What differs.
 * @property {Record<string, number>} faults
 * @property {string[]} warnings Of the side with the bridge.
 */

const childPath = fileURLToPath(new URL('bridge-child.mjs', import.meta.url))
const expiry = { clean: false, sessionExpirySeconds: 86_400 }

/** Whole games, one after another, are the same for the same seed, as far as the machine allows. */
function randomOf(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** A broker of Godwit, in a process of its own. */
class GodwitSide {
  /** @type {string[]} */
  lines = []
  constructor(directory, port, options) {
    this.port = port
    this.argument = JSON.stringify({ directory, port, options })
  }
  async start() {
    this.child = fork(childPath, [this.argument], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }).setMaxListeners(0)
    this.child.on('message', ({ line }) => line && this.lines.push(line))
    await new Promise((resolve, reject) => {
      this.child.on('message', ({ ready }) => ready && resolve(undefined))
      this.child.once('exit', (code) => reject(new Error(`a broker ended with ${code}: ${this.lines.slice(-3)}`)))
    })
  }
  async view() {
    const answer = new Promise((resolve) => {
      this.child.on('message', ({ view }) => view && resolve(view))
    })
    this.child.send('view')
    return answer
  }
  async kill() {
    const ended = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await ended
  }
}

class MosquittoSide {
  constructor(directory, port) {
    this.port = port
    this.config = join(directory, 'mosquitto.conf')
    mkdirSync(directory, { recursive: true })
    writeFileSync(
      this.config,
      `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location ${directory}/\nuser root\nmax_queued_messages 0\nset_tcp_nodelay true\n`,
    )
  }
  async start() {
    this.child = spawn('/usr/sbin/mosquitto', ['-c', this.config], { stdio: 'ignore' })
    await reachable(this.port)
  }
  /** It saves what it has. */
  async term() {
    const ended = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    await ended
  }
  async stop(ms) {
    this.child.kill('SIGSTOP')
    await wait(ms)
    this.child.kill('SIGCONT')
  }
  kill() {
    return this.term()
  }
}

async function reachable(port) {
  for (let tries = 0; tries < 200; tries++) {
    const socket = dial(port, '127.0.0.1')
    const isThere = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (isThere) return
    await wait(20)
  }
  throw new Error(`nothing listens on ${port}`)
}

/** What the bridge goes through to the other broker. */
class Network {
  #pairs = new Set()
  isUp = true
  async open(to) {
    this.server = createServer((near) => {
      if (!this.isUp) return near.destroy()
      const far = dial(to, '127.0.0.1').setNoDelay(true)
      near.setNoDelay(true)
      near.pipe(far).pipe(near)
      this.#pairs.add(near)
      const end = () => {
        near.destroy()
        far.destroy()
        this.#pairs.delete(near)
      }
      for (const socket of [near, far]) socket.on('error', end).on('close', end)
    })
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return this.server.address().port
  }
  async cut(ms) {
    this.isUp = false
    for (const near of this.#pairs) near.destroy()
    await wait(ms)
    this.isUp = true
  }
  close() {
    for (const near of this.#pairs) near.destroy()
    this.server.close()
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Publishes 1, 2, 3 … to one topic until it is stopped. */
async function publisher(name, port, qos) {
  const client = await connect(`mqtt://127.0.0.1:${port}`, {
    clientId: `publisher-${name}`,
    ...expiry,
    reconnect: { initialMs: 20, maxMs: 100 },
  })
  let sent = 0
  let open = 0
  let goesOn = true
  const running = (async () => {
    while (goesOn) {
      for (let one = 0; one < 20 && open < 400 && (qos > 0 || client.connected); one++) {
        open++
        const done = () => open--
        client.publish(`t/${name}`, `${++sent}`, { qos }).then(done, done)
      }
      await wait(5)
    }
    while (open > 0) await wait(5)
  })()
  return {
    client,
    get sent() {
      return sent
    },
    async stop() {
      goesOn = false
      await running
    },
  }
}

/** Notes what it is given, by topic. */
async function subscriber(name, port, qos, isMosquitto = false) {
  const client = await connect(`mqtt://127.0.0.1:${port}`, {
    clientId: `subscriber-${name}`,
    ...expiry,
    reconnect: { initialMs: 20, maxMs: 100 },
    maxBuffered: 1_000_000,
  })
  /** @type {Map<string, number[]>} */
  const given = new Map()
  await client.subscribe('t/+', {
    qos,
    onMessage: ({ topic, payload, dup }) => {
      const numbers = given.get(topic) ?? []
      given.set(topic, numbers)
      const number = Number(Buffer.from(payload))
      // After a restart mosquitto sends to any client again what that has finished with: it says so itself, by DUP.
      if (isMosquitto && dup && numbers.includes(number)) return
      numbers.push(number)
    },
  })
  return { client, of: (topic) => given.get(topic) ?? [] }
}

/** What a broker has retained, as `topic=payload`. */
async function retainedOf(port) {
  const client = await connect(`mqtt://127.0.0.1:${port}`)
  const found = []
  await client.subscribe('t/keep/#', {
    qos: 1,
    onMessage: ({ topic, payload }) => void found.push(`${topic}=${Buffer.from(payload)}`),
  })
  await wait(300)
  await client.close()
  return found.sort()
}

/**
 * @param {Game} game
 * @returns {Promise<Tally>}
 */
export async function playBridge(game) {
  const { far: kind, version, qos, direction, rounds, seed, roundMs = 1000 } = game
  const random = randomOf(seed)
  const folder = mkdtempSync(join(tmpdir(), 'godwit-bridge-'))
  const [nearPort, farPort] = [await freePort(), await freePort()]
  const network = new Network()
  const way = await network.open(farPort)
  const far =
    kind === 'godwit' ? new GodwitSide(join(folder, 'far'), farPort) : new MosquittoSide(join(folder, 'far'), farPort)
  const near = new GodwitSide(join(folder, 'near'), nearPort, {
    name: 'rounds',
    clientId: 'bridge-rounds',
    url: `mqtt://127.0.0.1:${way}`,
    version,
    fallback: false,
    keepAliveSeconds: 5,
    reconnect: { initialMs: 20, maxMs: 100 },
    topics: [{ filter: 't/#', direction, qos }],
  })
  const ends = []
  try {
    await far.start()
    await near.start()
    const sides = { near: nearPort, far: farPort }
    const sources = direction === 'out' ? ['near'] : direction === 'in' ? ['far'] : ['near', 'far']
    const readers = {}
    for (const [name, port] of Object.entries(sides)) {
      readers[name] = await subscriber(name, port, qos, name === 'far' && kind === 'mosquitto')
      ends.push(readers[name].client)
    }
    while (!(await near.view()).connected) await wait(20)
    await wait(200)
    const writers = []
    for (const name of sources) {
      const writer = await publisher(name, sides[name], qos)
      ends.push(writer.client)
      writers.push({ name, writer })
    }
    const faults = faultsOf(kind, near, far, network, random)
    /** @type {Record<string, number>} */
    const played = {}
    const names = game.faults ?? Object.keys(faults)
    for (let round = 0; round < rounds; round++) {
      await wait(random() * roundMs)
      const name = names[round % names.length]
      played[name] = (played[name] ?? 0) + 1
      await faults[name]()
      for (const { name: source, writer } of writers) {
        const value = random() < 0.2 ? '' : `${round}`
        await writer.client
          .publish(`t/keep/${source}/${round % 5}`, value, { qos: Math.max(1, qos), retain: true })
          .catch(() => {})
      }
      await wait(random() * roundMs)
    }
    for (const { writer } of writers) await writer.stop()
    await quiet(
      () =>
        Object.values(readers)
          .map(({ of }) => sources.map((name) => of(`t/${name}`).length))
          .join(),
      near,
    )
    if (qos === 0) {
      for (const { name, writer } of writers) {
        for (let at = 0; at < 5; at++)
          await writer.client.publish(`t/keep/${name}/${at}`, 'last', { qos: 1, retain: true })
      }
    }
    await wait(500)
    return tally(game, writers, readers, await retainedOf(nearPort), await retainedOf(farPort), played, near.lines)
  } finally {
    for (const client of ends) await client.close({ timeoutMs: 0 })
    await near.kill().catch(() => {})
    await far.kill().catch(() => {})
    network.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function faultsOf(kind, near, far, network, random) {
  const all = {
    'kill near': async () => {
      await near.kill()
      await wait(random() * 200)
      await near.start()
    },
    cut: () => network.cut(random() * 300),
  }
  if (kind === 'godwit') {
    all['kill far'] = async () => {
      await far.kill()
      await wait(random() * 200)
      await far.start()
    }
    all['kill both'] = async () => {
      await Promise.all([near.kill(), far.kill()])
      await Promise.all([near.start(), far.start()])
    }
  } else {
    all['stop far'] = () => far.stop(200 + random() * 400)
    all['restart far'] = async () => {
      await far.term()
      await wait(random() * 200)
      await far.start()
    }
  }
  return all
}

/** Waits until nothing has come for two seconds and nothing is on its way; thirty seconds at most. */
async function quiet(count, near) {
  let last = ''
  for (let still = 0, passed = 0; still < 8 && passed < 240; passed++) {
    await wait(250)
    const now = count() + (await near.view()).queued
    still = now === last ? still + 1 : 0
    last = now
  }
}

function tally({ qos, direction }, writers, readers, nearKeeps, farKeeps, faults, lines) {
  const found = {
    sent: 0,
    lost: 0,
    twice: 0,
    disordered: 0,
    echoes: 0,
    where: {},
    retained: [],
    faults,
    warnings: warningsOf(lines),
  }
  for (const { name, writer } of writers) {
    found.sent += writer.sent
    for (const [at, { of }] of Object.entries(readers)) {
      const numbers = of(`t/${name}`)
      const seen = new Set()
      let highest = 0
      for (const number of numbers) {
        if (seen.has(number)) {
          if (at === name) found.echoes++
          else {
            found.twice++
            found.where[`${name} at ${at}`] = (found.where[`${name} at ${at}`] ?? 0) + 1
          }
        } else if (number < highest) found.disordered++
        seen.add(number)
        highest = Math.max(highest, number)
      }
      if (qos > 0) found.lost += writer.sent - seen.size
    }
  }
  if (direction !== 'both') {
    const other = direction === 'out' ? 'far' : 'near'
    found.echoes += readers[other === 'far' ? 'near' : 'far'].of(`t/${other}`).length
  }
  const [one, two] = [new Set(nearKeeps), new Set(farKeeps)]
  found.retained = [
    ...nearKeeps.filter((line) => !two.has(line)).map((line) => `near alone ${line}`),
    ...farKeeps.filter((line) => !one.has(line)).map((line) => `far alone ${line}`),
  ]
  return found
}

function warningsOf(lines) {
  const kinds = new Map()
  for (const line of lines) {
    if (!/^(warn|error)/.test(line)) continue
    const kind = line.replace(/"(retryInMs|queued)":[^,}]*/g, '').slice(0, 300)
    if (kind.includes('maxConnections')) continue
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  return [...kinds].map(([kind, count]) => `${count} × ${kind}`)
}

/** Whether it is what is promised. */
export function isGood({ qos }, { lost, twice, disordered, echoes, retained }) {
  return (
    lost === 0 && (qos === 1 || twice === 0) && disordered === 0 && (qos === 1 || echoes === 0) && retained.length === 0
  )
}

/** All of them, or those that a word in each place allows. */
export function gamesOf(only = '') {
  const [far = '', version = '', qos = '', direction = ''] = only.split(',')
  const fits = (word, value) => word === '' || word === '*' || word === String(value)
  return ['mosquitto', 'godwit'].flatMap((kind) =>
    [4, 5].flatMap((spoken) =>
      [0, 1, 2].flatMap((level) =>
        ['out', 'in', 'both']
          .filter((way) => fits(far, kind) && fits(version, spoken) && fits(qos, level) && fits(direction, way))
          .map((way) => ({ far: kind, version: spoken, qos: level, direction: way })),
      ),
    ),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      only: { type: 'string', default: '' },
      seed: { type: 'string', default: '1' },
      faults: { type: 'string' },
    },
  })
  let bad = 0
  for (const game of gamesOf(values.only)) {
    const found = await playBridge({
      ...game,
      rounds: Number(values.rounds),
      seed: Number(values.seed),
      faults: values.faults?.split(','),
    })
    const good = isGood(game, found)
    if (!good) bad++
    console.log(good ? 'good' : 'BAD ', Object.values(game).join(' '), JSON.stringify(found))
  }
  process.exitCode = bad > 0 ? 1 : 0
}
