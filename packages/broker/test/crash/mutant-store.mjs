// Stores that each break one promise: the suites must find it, or they would find nothing.

/** @typedef {import('../../dist/index.js').Store} Store */
/** @typedef {ReturnType<Store['session']>} SessionStore */
/** @typedef {SessionStore['queue']} Queue */
/** @typedef {Parameters<Queue['put']>[1]} QueuedMessage */

/** How late the second half of a move comes. */
const secondStepMs = 5
const noCommit = /** @type {import('../../dist/index.js').Commit} */ (0)

/**
 * An object that does some things in another way.
 * @template {object} T
 * @param {T} original
 * @param {{ [K in keyof T]?: T[K] | undefined }} changed
 * @returns {T}
 */
function changed(original, changed) {
  return new Proxy(original, {
    get(target, name) {
      if (Object.hasOwn(changed, name)) return Reflect.get(changed, name, changed)
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

/**
 * A store whose sessions do some things in another way, in this process and in the next.
 * @param {Store} store
 * @param {(session: SessionStore) => SessionStore} change
 * @param {(group: SessionStore) => SessionStore} changeGroup
 */
function withSessions(store, change, changeGroup = (group) => group) {
  return changed(store, {
    session: (clientId) => change(store.session(clientId)),
    group: (sharedFilter) => changeGroup(store.group(sharedFilter)),
    open: async () => {
      const recovered = await store.open()
      const sessions = recovered.sessions.map((one) => ({ ...one, stored: change(one.stored) }))
      const groups = recovered.groups.map((one) => ({ ...one, stored: changeGroup(one.stored) }))
      return { ...recovered, sessions, groups }
    },
  })
}

/**
 * A store that keeps messages in another way.
 * @param {Store} store
 * @param {(entry: QueuedMessage) => QueuedMessage} change
 */
function withMessages(store, change) {
  /** @param {SessionStore} session */
  const wrap = (session) => {
    const { queue } = session
    return changed(session, { queue: changed(queue, { put: (number, entry) => queue.put(number, change(entry)) }) })
  }
  return withSessions(store, wrap, wrap)
}

/** @satisfies {Record<string, (store: Store) => Store>} */
export const mutants = {
  /** Says of everything that it is safe as soon as it is asked to keep it. */
  'does not wait': (store) =>
    new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name === 'flushed' ? 'latest' : name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
      set: (target, name, value) => Reflect.set(target, name, value, target),
    }),
  'forgets when a session was left': (store) =>
    withSessions(store, (session) => changed(session, { disconnected: () => store.latest })),
  'forgets that a session has ended': (store) =>
    withSessions(store, (session) => changed(session, { delete: () => store.latest })),
  'forgets how subscriptions were granted': (store) =>
    withSessions(store, (session) =>
      changed(session, {
        setSubscription: (filter, { qos }, owed, isNew) =>
          session.setSubscription(
            filter,
            { qos, noLocal: false, retainAsPublished: false, identifier: 0 },
            owed,
            isNew,
          ),
      }),
    ),
  'forgets when a message expires': (store) =>
    withMessages(store, (entry) => ({
      ...entry,
      message: changed(entry.message, { expiresAt: Number.POSITIVE_INFINITY }),
    })),
  'forgets when a retained message expires': (store) =>
    changed(store, {
      setRetained: (topic, message) =>
        store.setRetained(topic, message && changed(message, { expiresAt: Number.POSITIVE_INFINITY })),
    }),
  'forgets the properties of messages': (store) =>
    withMessages(store, (entry) => ({ ...entry, message: changed(entry.message, { properties: undefined }) })),
  'forgets received ids': (store) =>
    withSessions(store, (session) => changed(session, { setReceived: () => store.latest })),
  'forgets when a will is due': (store) =>
    changed(store, { setWill: (clientId, will) => store.setWill(clientId, will) }),
  'forgets that a will is gone': (store) =>
    changed(store, {
      setWill: (clientId, will, dueAt) => (will ? store.setWill(clientId, will, dueAt) : store.latest),
    }),
  /** What a member of a shared group is handed leaves the group's queue some commits before it is in the member's. */
  'moves messages in two steps': (store) =>
    withSessions(store, (session) => {
      const { queue } = session
      /** @type {Map<number, QueuedMessage>} */
      const moving = new Map()
      const move = (/** @type {number} */ upTo) => {
        for (const [number, entry] of moving) {
          if (number > upTo) return
          moving.delete(number)
          queue.put(number, entry)
        }
      }
      return changed(session, {
        queue: changed(queue, {
          put(number, entry) {
            if (!entry.shared) return queue.put(number, entry)
            moving.set(number, entry)
            setTimeout(move, secondStepMs, number)
            return store.latest
          },
          get: (number) => {
            const entry = moving.get(number)
            return entry ? { ...entry, commit: noCommit } : queue.get(number)
          },
          delete: (number) => {
            move(number)
            queue.delete(number)
          },
        }),
      })
    }),
}
