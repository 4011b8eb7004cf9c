import { type AccessRule, accessRules } from '@godwit/broker/access'
import {
  type Backup,
  type ClusterView,
  EditConflict,
  type EditOptions,
  NotThere,
  type Parts,
  RecentLog,
  type Rule,
  Unacceptable,
} from '../src/index.js'

/** Something that is edited, with an ETag that every edit changes. */
class Edited<T> {
  #value: T
  #edits = 1

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  get etag(): string {
    return `e${this.#edits}`
  }

  put(value: T, { etag = this.etag }: EditOptions = {}): { readonly etag: string } {
    if (etag !== this.etag) throw new EditConflict(this.etag)
    this.#value = value
    this.#edits++
    return { etag: this.etag }
  }
}

/** A node that serves, and one that follows. */
export const clusterView: ClusterView = {
  cluster: 'plant',
  node: 'a',
  role: 'owner',
  epoch: 3,
  owner: 'a',
  frozen: false,
  held: null,
  silentSeconds: 0,
  problem: null,
  counters: { claims: 1, fenced: 0, diverged: 0, framesWritten: 9, bytesWritten: 900, framesRead: 0, bytesRead: 0 },
  log: { last: 109, bytes: 10_900, most: null },
  nodes: ['a', 'b'].map((node, at) => ({
    node,
    role: at === 0 ? 'owner' : 'following',
    epoch: 3,
    applied: 109 - at,
    behindFrames: at,
    behindBytes: 100 * at,
    version: '1.0.0',
    address: null,
    console: at === 0 ? 'https://a.example' : null,
    preferred: false,
    problem: null,
    toldAt: '2026-01-01T00:00:00.000Z',
  })),
  snapshots: [{ frame: 100, bytes: 5_000, createdAt: '2026-01-01T00:00:00.000Z' }],
}

/** Parts that hold everything in memory, and say what they hold. */
export function memoryParts(): Required<Parts> & { held(): unknown } {
  const users = new Edited<ReadonlyMap<string, string>>(new Map([['ann', 'secret-hash']]))
  const rules = new Edited<readonly AccessRule[]>([{ allow: 'publish', filter: 'a/#', where: 'rules.yaml:1' }])
  const backups = new Map<string, Backup>([['old', { name: 'old', bytes: 3, createdAt: '2026-01-01T00:00:00.000Z' }]])
  let [reloads, handedOver] = [0, 0]
  const placeOf = (at: number): number => {
    if (at < rules.value.length) return at
    throw new NotThere(`there is no rule ${at}`)
  }
  const checked = (rule: Rule): Rule => {
    if ((rule.allow === undefined) === (rule.deny === undefined))
      throw new Unacceptable('an access rule has either allow or deny')
    return rule
  }
  const log = new RecentLog()
  log.log('warn', 'message dropped', { clientId: 'c', reason: 'queue-full', topic: undefined })
  return {
    held: () => [[...users.value], rules.value, [...backups.keys()], reloads, handedOver],
    users: {
      list: async () => ({ etag: users.etag, users: [...users.value.keys()].map((username) => ({ username })) }),
      async set(username, password, options) {
        if (/[:\p{Cc}]/u.test(username) || username === '')
          throw new Unacceptable('a user name has no : and no control characters')
        const created = !users.value.has(username)
        return { ...users.put(new Map(users.value).set(username, `hash of ${password.length}`), options), created }
      },
      async remove(username, options) {
        const left = new Map(users.value)
        if (!left.delete(username)) throw new NotThere('there is no such user')
        return users.put(left, options)
      },
    },
    rules: {
      list: async () => ({ etag: rules.etag, rules: rules.value }),
      replace: async (next, options) => rules.put(next.map(checked), options),
      async add(rule, { at = rules.value.length, ...options } = {}) {
        return { ...rules.put(rules.value.toSpliced(at, 0, checked(rule)), options), at }
      },
      change: async (at, rule, options) => ({
        ...rules.put(rules.value.with(placeOf(at), checked(rule)), options),
        at,
      }),
      remove: async (at, options) => rules.put(rules.value.toSpliced(placeOf(at), 1), options),
    },
    access: {
      async explain({ action, topic, username, clientId = '' }) {
        const subject = { username, clientId }
        return accessRules(rules.value).explain({ action, topic, client: subject })
      },
    },
    backups: {
      async create() {
        const backup = { name: `b${backups.size}`, bytes: 5, createdAt: '2026-01-02T00:00:00.000Z' }
        backups.set(backup.name, backup)
        return backup
      },
      list: async () => [...backups.values()],
      async open(name) {
        if (!backups.has(name)) throw new NotThere('there is no such backup')
        return { bytes: 3, stream: new Blob(['abc']).stream() }
      },
      async remove(name) {
        if (!backups.delete(name)) throw new NotThere('there is no such backup')
      },
    },
    log,
    cluster: {
      view: () => clusterView,
      async handOver() {
        handedOver++
      },
    },
    bridges: {
      views: [
        {
          ...{
            name: 'cloud',
            connected: false,
            since: 0,
            server: undefined,
            version: undefined,
            problem: 'nobody answers',
          },
          ...{ queued: 3, out: 5, in: 7, connections: 1, lostSessions: 0, dropped: { expired: 2, loop: 0 } },
        },
      ],
    },
    plugins: {
      views: [
        {
          ...{
            name: 'influx',
            module: '@godwit/plugin-influx',
            since: 0,
            authenticates: false,
            counts: { written: 4 },
          },
          outlets: [
            {
              ...{ clientId: 'plugin-influx', problem: undefined, since: 0, queued: 1 },
              ...{ written: 4, batches: 1, failed: 0, refused: 0 },
            },
          ],
        },
      ],
    },
    configuration: {
      effective: async () => [{ name: 'limits.maxInflight', value: 256, origin: 'default' }],
      check: async (text) => ({ problems: text.includes('colour') ? ["1:1: there is no 'colour'"] : [] }),
      async reload() {
        reloads++
        return { reloaded: ['password file'], needsRestart: [] }
      },
    },
  }
}
