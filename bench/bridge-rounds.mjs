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
/** @typedef {0 | 1 | 2} QoS */
/** @typedef {import('../packages/client/dist/index.js').Client} Client */
/** @typedef {() => number} Random From 0 to below 1. */
/** @typedef {{ readonly name: string, readonly writer: Awaited<ReturnType<typeof publisher>> }} Writer */
/** @typedef {Readonly<Record<string, Awaited<ReturnType<typeof subscriber>>>>} Readers By side. */
/** @typedef {{ readonly near: GodwitSide, readonly far: GodwitSide | MosquittoSide, readonly network: Network }} Stage */
/**
 * What is played.
 * @typedef {object} Game
 * @property {Kind} far The other broker.
 * @property {4 | 5} version
 * @property {0 | 1 | 2} qos
 * @property {Direction} direction
 * @property {number} rounds
 * @property {number} seed
 * @property {number} [roundMs] How long a round lasts, at most, besides its fault. Default 2,000.
 * @property {readonly string[]} [faults] Those alone.
 */
/**
 * @typedef {object} Tally
 * @property {number} sent
 * @property {number} lost
 * @property {string[]} details Which were lost or late.
 * @property {number} twice
 * @property {number} disordered
 * @property {number} echoes
 * @property {string[]} retained What differs.
 * @property {Record<string, number>} faults
 * @property {string[]} warnings Of the side with the bridge.
 */

const childPath = fileURLToPath(new URL('bridge-child.mjs', import.meta.url))
const expiry = { clean: false, sessionExpirySeconds: 86_400 }

/**
 * Whole games, one after another, are the same for the same seed, as far as the machine allows.
 * @param {number} seed
 * @returns {Random}
 */
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
  /** @type {any} */
  child

  /**
   * @param {string} directory
   * @param {number} port
   * @param {object} [options] of the bridge.
   */
  constructor(directory, port, options) {
    this.port = port
    this.argument = JSON.stringify({ directory, port, options })
  }
  async start() {
    this.child = fork(childPath, [this.argument], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }).setMaxListeners(0)
    this.child.on('message', (/** @type {any} */ { line }) => line && this.lines.push(line))
    await new Promise((resolve, reject) => {
      this.child.on('message', (/** @type {any} */ { ready }) => ready && resolve(undefined))
      this.child.once('exit', (/** @type {unknown} */ code) =>
        reject(new Error(`a broker ended with ${code}: ${this.lines.slice(-3)}`)),
      )
    })
  }
  /** @returns {Promise<import('../packages/bridge/dist/index.js').BridgeView>} */
  async view() {
    const answer = new Promise((resolve) => {
      this.child.on('message', (/** @type {any} */ { view }) => view && resolve(view))
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
  /** @type {any} */
  child
  /** How it ended where it should have saved what it has: what it had taken is lost then. @type {string[]} */
  deaths = []

  /**
   * @param {string} directory
   * @param {number} port
   */
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
    const [code, signal] = await ended
    if (code !== 0) this.deaths.push(signal ?? `exit code ${code}`)
  }
  /** @param {number} ms */
  async stop(ms) {
    this.child.kill('SIGSTOP')
    await wait(ms)
    this.child.kill('SIGCONT')
  }
  kill() {
    return this.term()
  }
}

/** @param {number} port */
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
  /** @type {Set<import('node:net').Socket>} */
  #pairs = new Set()
  /** @type {import('node:net').Server | undefined} */
  server
  isUp = true
  /** @param {number} to */
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
    return portOf(this.server)
  }
  /** @param {number} ms */
  async cut(ms) {
    this.isUp = false
    for (const near of this.#pairs) near.destroy()
    await wait(ms)
    this.isUp = true
  }
  close() {
    for (const near of this.#pairs) near.destroy()
    this.server?.close()
  }
}

/** @param {import('node:net').Server} server */
const portOf = (server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Publishes 1, 2, 3 … to one topic until it is stopped, twenty at a time.
 * @param {string} name
 * @param {number} port
 * @param {QoS} qos
 * @param {number} pauseMs between two times.
 */
async function publisher(name, port, qos, pauseMs) {
  const client = await connect(`mqtt://127.0.0.1:${port}`, {
    clientId: `publisher-${name}`,
    ...expiry,
    reconnect: { initialMs: 20, maxMs: 100 },
  })
  let sent = 0
  let open = 0
  let goesOn = true
  /** @type {string[]} Those that nobody has promised to keep. */
  const failed = []
  const running = (async () => {
    while (goesOn) {
      for (let one = 0; one < 20 && open < 400 && (qos > 0 || client.connected); one++) {
        open++
        const number = ++sent
        const done = () => open--
        client.publish(`t/${name}`, `${number}`, { qos }).then(done, (error) => {
          done()
          failed.push(`${number}: ${error.message}`)
        })
      }
      await wait(pauseMs)
    }
    while (open > 0) await wait(5)
  })()
  return {
    client,
    failed,
    get sent() {
      return sent
    },
    async stop() {
      goesOn = false
      await running
    },
  }
}

/**
 * Notes what it is given, by topic.
 * @param {string} name
 * @param {number} port
 * @param {QoS} qos
 */
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
  return { client, of: (/** @type {string} */ topic) => given.get(topic) ?? [] }
}

/**
 * What a broker has retained, as `topic=payload`.
 * @param {number} port
 */
async function retainedOf(port) {
  const client = await connect(`mqtt://127.0.0.1:${port}`)
  /** @type {string[]} */
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
  const { qos, direction, rounds, seed } = game
  const random = randomOf(seed)
  const folder = mkdtempSync(join(tmpdir(), 'godwit-bridge-'))
  const stage = await stageOf(game, folder)
  const { near, far, network } = stage
  /** @type {import('../packages/client/dist/index.js').Client[]} */
  const ends = []
  try {
    await far.start()
    await near.start()
    const { readers, writers } = await cast(game, stage, ends)
    const faults = faultsOf(stage, random)
    /** @type {Record<string, number>} */
    const played = {}
    const names = game.faults ?? Object.keys(faults)
    for (let round = 0; round < rounds; round++) {
      const name = names[round % names.length] ?? 'cut'
      played[name] = (played[name] ?? 0) + 1
      await playRound(game, random, faults[name] ?? network.cut.bind(network, 100), writers, round)
    }
    for (const { writer } of writers) await writer.stop()
    const sources = sourcesOf(direction)
    await quiet(
      () => Object.values(readers).flatMap(({ of }) => sources.map((name) => of(`t/${name}`).length)),
      qos === 0 ? [] : Object.values(readers).flatMap(() => writers.map(({ writer }) => writer.sent)),
      near,
    )
    if (qos === 0) await keepLast(writers)
    await wait(1500)
    if (far instanceof MosquittoSide) for (const death of far.deaths) played[`far ends by ${death}`] = 1
    return tally(game, writers, readers, await retainedOf(near.port), await retainedOf(far.port), played, near.lines)
  } finally {
    for (const client of ends) await client.close({ timeoutMs: 0 })
    await near.kill().catch(() => {})
    await far.kill().catch(() => {})
    network.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {Direction} direction */
const sourcesOf = (direction) => (direction === 'out' ? ['near'] : direction === 'in' ? ['far'] : ['near', 'far'])

/**
 * The two brokers, which have not been started, and what is between them.
 * @param {Game} game
 * @param {string} folder
 * @returns {Promise<Stage>}
 */
async function stageOf({ far: kind, version, qos, direction }, folder) {
  const [nearPort, farPort] = [await freePort(), await freePort()]
  const network = new Network()
  const way = await network.open(farPort)
  const place = join(folder, 'far')
  const far = kind === 'godwit' ? new GodwitSide(place, farPort) : new MosquittoSide(place, farPort)
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
  return { near, far, network }
}

/** Below 5.0 twenty messages may be under way over a bridge: more would but wait. Ms. */
const pauses = { 4: 100, 5: 5 }

/**
 * Publishers and subscribers.
 * @param {Game} game
 * @param {Stage} stage
 * @param {Client[]} ends
 */
async function cast({ far: kind, version, qos, direction }, { near, far }, ends) {
  /** @type {Record<string, Awaited<ReturnType<typeof subscriber>>>} */
  const readers = {}
  for (const [name, { port }] of Object.entries({ near, far })) {
    const reader = await subscriber(name, port, qos, name === 'far' && kind === 'mosquitto')
    readers[name] = reader
    ends.push(reader.client)
  }
  while (!(await near.view()).connected) await wait(20)
  await wait(200)
  /** @type {Writer[]} */
  const writers = []
  for (const name of sourcesOf(direction)) {
    const writer = await publisher(name, name === 'near' ? near.port : far.port, qos, pauses[version])
    ends.push(writer.client)
    writers.push({ name, writer })
  }
  return { readers, writers }
}

/**
 * @param {Game} game
 * @param {Random} random
 * @param {() => Promise<void>} fault
 * @param {readonly Writer[]} writers
 * @param {number} round
 */
async function playRound({ qos, roundMs = 1000 }, random, fault, writers, round) {
  await wait(random() * roundMs)
  await fault()
  for (const { name, writer } of writers) {
    const value = random() < 0.2 ? '' : `${round}`
    const options = { qos: /** @type {QoS} */ (Math.max(1, qos)), retain: true }
    await writer.client.publish(`t/keep/${name}/${round % 5}`, value, options).catch(() => {})
  }
  await wait(random() * roundMs)
}

/**
 * At QoS 0 what is retained may be lost like anything: it is set once more when all stands.
 * @param {readonly Writer[]} writers
 */
async function keepLast(writers) {
  for (const { name, writer } of writers) {
    for (let at = 0; at < 5; at++) {
      await writer.client.publish(`t/keep/${name}/${at}`, 'last', { qos: 1, retain: true })
    }
  }
}

/**
 * @param {Stage} stage
 * @param {Random} random
 * @returns {Readonly<Record<string, () => Promise<void>>>}
 */
function faultsOf({ near, far, network }, random) {
  const ofNear = {
    'kill near': async () => {
      await near.kill()
      await wait(random() * 200)
      await near.start()
    },
    cut: () => network.cut(random() * 300),
  }
  if (far instanceof MosquittoSide) {
    return {
      ...ofNear,
      'stop far': () => far.stop(200 + random() * 400),
      'restart far': async () => {
        await far.term()
        await wait(random() * 200)
        await far.start()
      },
    }
  }
  return {
    ...ofNear,
    'kill far': async () => {
      await far.kill()
      await wait(random() * 200)
      await far.start()
    },
    'kill both': async () => {
      await Promise.all([near.kill(), far.kill()])
      await Promise.all([near.start(), far.start()])
    },
  }
}

/** A machine that is busy may do nothing for that long. Quarters of a second. */
const longestStill = { whenAllIsThere: 8, whenNot: 80 }

/**
 * Waits until all is there and nothing comes after it for two seconds, or nothing has come at all for twenty; five minutes at most.
 * @param {() => number[]} count What each has been given of each.
 * @param {readonly number[]} all What that is in the end.
 * @param {GodwitSide} near
 */
async function quiet(count, all, near) {
  let last = ''
  for (let still = 0, passed = 0; passed < 1_200; passed++) {
    await wait(250)
    const [counts, { queued }] = [count(), await near.view()]
    const isThere = queued === 0 && counts.every((given, at) => given >= (all[at] ?? 0))
    const now = `${counts} ${queued}`
    still = now === last ? still + 1 : 0
    if (still >= (isThere ? longestStill.whenAllIsThere : longestStill.whenNot)) return
    last = now
  }
}

/**
 * @param {Game} game
 * @param {readonly Writer[]} writers
 * @param {Readers} readers
 * @param {readonly string[]} nearKeeps
 * @param {readonly string[]} farKeeps
 * @param {Record<string, number>} faults
 * @param {readonly string[]} lines
 * @returns {Tally}
 */
function tally({ qos, direction }, writers, readers, nearKeeps, farKeeps, faults, lines) {
  /** @type {Tally} */
  const found = {
    sent: 0,
    lost: 0,
    details: [],
    twice: 0,
    disordered: 0,
    echoes: 0,
    retained: [],
    faults,
    warnings: warningsOf(lines),
  }
  for (const { name, writer } of writers) {
    found.sent += writer.sent
    for (const [at, { of }] of Object.entries(readers)) {
      const { repeated, disordered, distinct, late } = look(of(`t/${name}`))
      if (qos > 0)
        found.details.push(...detailsOf(`at ${at} of ${name}`, of(`t/${name}`), writer, qos === 2 ? late : []))
      found[at === name ? 'echoes' : 'twice'] += repeated
      found.disordered += disordered
      if (qos > 0) found.lost += writer.sent - distinct
    }
  }
  // What goes one way has no business in the other.
  if (direction === 'out') found.echoes += readers.near?.of('t/far').length ?? 0
  if (direction === 'in') found.echoes += readers.far?.of('t/near').length ?? 0
  const [one, two] = [new Set(nearKeeps), new Set(farKeeps)]
  const nearAlone = nearKeeps.filter((line) => !two.has(line)).map((line) => `near alone ${line}`)
  found.retained = [...nearAlone, ...farKeeps.filter((line) => !one.has(line)).map((line) => `far alone ${line}`)]
  return found
}

/**
 * The first of what is wrong, in words.
 * @param {string} where
 * @param {readonly number[]} numbers
 * @param {Writer['writer']} writer
 * @param {readonly string[]} late
 */
function detailsOf(where, numbers, { sent, failed }, late) {
  const gone = gaps(new Set(numbers), sent).slice(0, 20)
  const lost = gone.length > 0 ? [`not ${where}: ${gone.join(' ')} of ${sent} (not taken: ${failed.join(', ')})`] : []
  return late.length > 0 ? [...lost, `${where}: ${late.join(', ')}`] : lost
}

/**
 * What is missing from 1 up to the last, as `5-9`.
 * @param {ReadonlySet<number>} there
 * @param {number} last
 */
function gaps(there, last) {
  const found = []
  for (let number = 1; number <= last; number++) {
    if (there.has(number)) continue
    const first = number
    while (number < last && !there.has(number + 1)) number++
    found.push(`${first}-${number}`)
  }
  return found
}

/** @param {readonly number[]} numbers */
function look(numbers) {
  const seen = new Set()
  const late = []
  let [repeated, disordered, highest] = [0, 0, 0]
  for (const number of numbers) {
    if (seen.has(number)) {
      repeated++
      if (late.length < 20) late.push(`${number} again after ${highest}`)
    } else if (number < highest) {
      disordered++
      if (late.length < 20) late.push(`${number} after ${highest}`)
    }
    seen.add(number)
    highest = Math.max(highest, number)
  }
  return { repeated, disordered, distinct: seen.size, late }
}

/** @param {readonly string[]} lines */
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

/**
 * Whether it is what is promised.
 * @param {{ qos: QoS }} game
 * @param {Tally} tally
 */
export function isGood({ qos }, { lost, twice, disordered, echoes, retained }) {
  return (
    lost === 0 && (qos === 1 || twice === 0) && disordered === 0 && (qos === 1 || echoes === 0) && retained.length === 0
  )
}

/**
 * All of them, or those that a word in each place allows.
 * @param {string} only as `mosquitto,5,2,both`.
 * @returns {Pick<Game, 'far' | 'version' | 'qos' | 'direction'>[]}
 */
export function gamesOf(only = '') {
  const [far = '', version = '', qos = '', direction = ''] = only.split(',')
  const fits = (/** @type {string} */ word, /** @type {unknown} */ value) =>
    word === '' || word === '*' || word === String(value)
  return /** @type {const} */ (['mosquitto', 'godwit']).flatMap((kind) =>
    /** @type {const} */ ([4, 5]).flatMap((spoken) =>
      /** @type {const} */ ([0, 1, 2]).flatMap((level) =>
        /** @type {const} */ (['out', 'in', 'both'])
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
      ...(values.faults && { faults: values.faults.split(',') }),
    })
    const good = isGood(game, found)
    if (!good) bad++
    console.log(good ? 'good' : 'BAD ', Object.values(game).join(' '), JSON.stringify(found))
  }
  process.exitCode = bad > 0 ? 1 : 0
}
