// What is done to a cluster while clients publish: each resolves when all is as it was before.
import { connect } from '@godwit/client'
import { fetchedNats, pause, until } from './cluster-stage.mjs'

/** @typedef {import('./cluster-stage.mjs').ClusterStage} Stage */
/** @typedef {import('./cluster-actor.mjs').Actor} Actor */
/**
 * @typedef {object} Fault
 * @property {string} name
 * @property {(stage: Stage) => Promise<void>} run
 * @property {'disks' | 'two versions' | 'edges' | 'an older Godwit'} [needs] a stage of its own, or what not every machine has
 */

/** For how long something stands still or is cut off, in ms. */
const away = 10_000
/** Longer than `hold`: what needs the log is refused meanwhile. */
const beyondHold = 20_000
const hour = 3_600_000
const aside = 2_000

/** @param {(stage: Stage) => Promise<Actor>} whom @param {number} [ms] @returns {Fault['run']} */
const stopped =
  (whom, ms = away) =>
  async (stage) => {
    const actor = await whom(stage)
    actor.signal('SIGSTOP')
    await pause(ms)
    actor.signal('SIGCONT')
  }

/** @param {(stage: Stage) => Promise<Actor>} whom @param {import('./tcp-gate.mjs').GateMode} mode @returns {Fault['run']} */
const cutOff = (whom, mode) => async (stage) => {
  const actor = await whom(stage)
  const cut = stage.nodes.includes(actor) ? stage.cutNode : stage.cutServer
  cut.call(stage, actor, mode)
  await pause(away)
  cut.call(stage, actor, 'open')
}

/** @param {(stage: Stage) => Promise<Actor>} whom @returns {Fault['run']} */
const full = (whom) => async (stage) => {
  const actor = await whom(stage)
  const makeRoom = actor.disk?.fill()
  await pause(away)
  makeRoom?.()
  if (!stage.servers.includes(actor)) return
  await actor.end('SIGTERM') // nats-server that has met a full disk uses it again from its next start on
  actor.start()
  await stage.healthy()
}

/** Who comes to the node that serves is not left waiting. @param {string} url of that one alone: what another says would hide it */
async function refusedNow(url) {
  const coming = connect(url, { clientId: 'late', connectTimeoutMs: 8_000 })
  const error = await coming.then(
    (client) => client.close(),
    (reason) => reason,
  )
  if ((error?.cause ?? error)?.reasonCode !== 0x88)
    throw new Error(`who came while nothing became safe was not refused: ${error?.message}`)
}

/** @param {(stage: Stage) => Promise<Actor>} whom @returns {Fault['run']} */
const unpowered = (whom) => async (stage) => {
  const actor = await whom(stage)
  await stage.cutPower([actor])
  await pause(aside)
  actor.start()
  await stage.healthy()
}

/** @param {import('./tcp-gate.mjs').GateMode} mode @returns {Fault['run']} */
const edgesCut = (mode) => async (stage) => {
  stage.cutEdges(mode)
  await pause(away)
  stage.cutEdges('open')
}

const owner = (/** @type {Stage} */ stage) => stage.owner()
const replica = (/** @type {Stage} */ stage) => stage.replica()
const leader = (/** @type {Stage} */ stage) => stage.leader()
/** @param {Stage} stage */
const followingServer = async (stage) => {
  const leading = await stage.leader()
  return /** @type {Actor} */ (stage.servers.find((server) => server !== leading))
}

/** @type {readonly Fault[]} */
export const faults = [
  {
    name: 'owner killed',
    async run(stage) {
      const actor = await stage.owner()
      await actor.end()
      await stage.owner()
      await pause(aside) // a node that starts takes this machine's time
      actor.start()
    },
  },
  {
    name: 'hand-over (SIGTERM)',
    async run(stage) {
      const actor = await stage.owner()
      await actor.end('SIGTERM')
      await stage.owner()
      await pause(aside)
      actor.start()
    },
  },
  {
    name: 'hand-over (asked for)',
    async run(stage) {
      const actor = await stage.owner()
      await stage.ask(actor, 'handover')
      await until(async () => (await stage.owner()) !== actor, 'another owner')
    },
  },
  {
    name: 'leader of the log killed',
    async run(stage) {
      const actor = await stage.leader()
      await actor.end()
      await pause(8_000)
      actor.start()
      await stage.healthy()
    },
  },
  {
    name: 'owner and leader killed',
    async run(stage) {
      const actors = [await stage.owner(), await stage.leader()]
      await Promise.all(actors.map((actor) => actor.end()))
      await stage.owner()
      await pause(aside)
      for (const actor of actors) actor.start()
      await stage.healthy()
    },
  },
  { name: 'owner stopped for 10 s', run: stopped(owner) },
  { name: 'owner stopped for 30 s', run: stopped(owner, 3 * away) },
  { name: 'leader of the log stopped for 10 s', run: stopped(leader) },
  { name: 'leader of the log stopped for 30 s', run: stopped(leader, 3 * away) },
  { name: 'replica stopped for 10 s', run: stopped(replica) },
  { name: 'another nats-server stopped for 10 s', run: stopped(followingServer) },
  { name: 'owner cut off from NATS', run: cutOff(owner, 'cut') },
  { name: 'owner cut off from NATS, silently', run: cutOff(owner, 'swallow') },
  { name: 'what the owner sends to NATS is lost', run: cutOff(owner, 'swallow there') },
  { name: 'what NATS sends to the owner is lost', run: cutOff(owner, 'swallow back') },
  { name: 'replica cut off from NATS, silently', run: cutOff(replica, 'swallow') },
  { name: 'leader of the log cut off from its peers', run: cutOff(leader, 'cut') },
  { name: 'leader of the log cut off from its peers, silently', run: cutOff(leader, 'swallow') },
  { name: 'what the leader sends to its peers is lost', run: cutOff(leader, 'swallow there') },
  { name: 'what its peers send to the leader is lost', run: cutOff(leader, 'swallow back') },
  {
    name: 'two of three nats-servers killed for 20 s',
    async run(stage) {
      const url = stage.urls[stage.nodes.indexOf(await stage.owner())] ?? ''
      const actors = stage.servers.slice(0, 2)
      await Promise.all(actors.map((actor) => actor.end()))
      await pause(beyondHold)
      await refusedNow(url)
      for (const actor of actors) actor.start()
      await stage.healthy()
    },
  },
  {
    name: 'everything killed',
    async run(stage) {
      const actors = [...stage.servers, ...stage.nodes]
      await Promise.all(actors.map((actor) => actor.end()))
      for (const actor of actors) actor.start()
      await stage.healthy()
    },
  },
  {
    name: 'power cut of everything',
    needs: 'disks',
    async run(stage) {
      const actors = [...stage.servers, ...stage.nodes]
      await stage.cutPower(actors)
      for (const actor of actors) actor.start()
      await stage.healthy()
    },
  },
  {
    name: 'power cut of owner and leader',
    needs: 'disks',
    async run(stage) {
      const actors = [await stage.owner(), await stage.leader()]
      await stage.cutPower(actors)
      await stage.owner()
      for (const actor of actors) actor.start()
      await stage.healthy()
    },
  },
  { name: 'power cut of the replica', needs: 'disks', run: unpowered(replica) },
  { name: 'power cut of another nats-server', needs: 'disks', run: unpowered(followingServer) },
  { name: 'disk of the owner full for 10 s', needs: 'disks', run: full(owner) },
  { name: 'disk of the replica full for 10 s', needs: 'disks', run: full(replica) },
  { name: 'disk of the leading nats-server full for 10 s', needs: 'disks', run: full(leader) },
  {
    name: "owner's clock an hour ahead for 5 s, and an hour behind",
    async run(stage) {
      const actor = await stage.owner()
      for (const ms of [hour, -hour]) {
        actor.step(ms)
        await pause(5_000)
      }
      actor.step(0)
    },
  },
  {
    name: "replica's clock an hour off while the owner is killed, right after 8 s",
    async run(stage) {
      const [serving, other] = [await stage.owner(), await stage.replica()]
      other.step(hour)
      await pause(2_000) // frames come, and are seen to be an hour old
      await serving.end()
      await pause(8_000)
      if (await stage.serves(other)) throw new Error('a node with a wrong clock has taken over')
      other.step(0)
      await stage.owner()
      serving.start()
    },
  },
  {
    name: 'replica ended, back after its frames are trimmed',
    async run(stage) {
      const other = await stage.replica()
      await other.end('SIGTERM')
      const serving = await stage.owner()
      for (let snapshots = 0; snapshots < 3; snapshots++) {
        await pause(1_000)
        await stage.ask(serving, 'snapshot')
      }
      await pause(6_000) // trimming goes by itself
      other.start()
    },
  },
  {
    name: 'a record of the replica damaged, and the owner killed',
    async run(stage) {
      const [serving, other] = [await stage.owner(), await stage.replica()]
      await other.end('SIGTERM')
      await stage.damage(other)
      other.start()
      await stage.followed()
      await serving.end()
      await stage.owner() // of its copy, which is whole: it has begun anew
      await pause(aside)
      serving.start()
    },
  },
  {
    name: 'a node added, and taken out again',
    async run(stage) {
      await stage.joined('c')
      await stage.followed()
      await stage.left()
    },
  },
  {
    name: 'Godwit started anew, one node after another',
    async run(stage) {
      for (const node of [await stage.replica(), await stage.owner()]) {
        await node.end('SIGTERM')
        await stage.owner()
        node.start()
        await stage.followed()
      }
    },
  },
  {
    name: 'nats-server upgraded, one after another',
    needs: 'two versions',
    async run(stage) {
      const newer = fetchedNats().find((program) => program !== stage.program) ?? ''
      for (const server of stage.servers) {
        await server.end('SIGTERM')
        server.line = [newer, ...server.line.slice(1)]
        server.start()
        await stage.healthy()
        await pause(1_000)
      }
    },
  },
  { name: 'nodes cut off from the one that serves', needs: 'edges', run: edgesCut('cut') },
  { name: 'nodes cut off from the one that serves, silently', needs: 'edges', run: edgesCut('swallow') },
  { name: 'what nodes send to the one that serves is lost', needs: 'edges', run: edgesCut('swallow there') },
  {
    name: 'owner killed, with clients at either node',
    needs: 'edges',
    async run(stage) {
      const actor = await stage.owner()
      await actor.end()
      await stage.owner()
      await pause(aside)
      actor.start()
    },
  },
  {
    name: 'Godwit upgraded, one node after another',
    needs: 'an older Godwit',
    async run(stage) {
      const [following, serving] = [await stage.replica(), await stage.owner()]
      await following.end('SIGTERM')
      stage.upgrade(following)
      following.start()
      await stage.followed() // what the older one writes
      await pause(aside)
      await stage.ask(serving, 'handover')
      await until(async () => (await stage.owner()) === following, 'the newer one to serve')
      await stage.followed() // by the older one
      await pause(aside)
      await serving.end('SIGTERM')
      stage.upgrade(serving)
      serving.start()
    },
  },
]
