/** What `godwit bench` can do. */
export type ScenarioName = 'pub' | 'sub' | 'conn' | 'pipe' | 'fanout' | 'fanin' | 'p2p' | 'retained'

/** Who is there, and who gets what from whom. */
export interface Scenario {
  readonly summary: string
  /** How many there are unless told: of `pubs`, `subs` and `clients`, those at 0 cannot be asked for. */
  readonly pubs: number
  readonly subs: number
  /** Clients that connect and do nothing more. */
  readonly clients: number
  /** Messages of one publisher that may be on their way unless told; for `conn`, connections being made. */
  readonly window: number
  /** Whether there is one publisher for each subscriber. */
  readonly paired?: true
  /** Whether the messages are there before the subscribers, retained. */
  readonly retained?: true
  /** Whether messages come from somebody else. */
  readonly listens?: true
  /** The topic of a publisher (or, retained, of a message) below the common prefix. */
  readonly topic: (prefix: string, publisher: number) => string
  /** What a subscriber subscribes to. */
  readonly filter: (prefix: string, subscriber: number) => string
}

const ownTopic = (prefix: string, at: number): string => `${prefix}/${at}`
const commonTopic = (prefix: string): string => `${prefix}/all`
const everything = (prefix: string): string => `${prefix}/#`

/** The scenarios, as a table. */
export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  pub: {
    summary: 'publish; nobody subscribes here',
    ...{ pubs: 1, subs: 0, clients: 0, window: 1000, topic: ownTopic, filter: everything },
  },
  sub: {
    summary: 'subscribe, and count what others publish',
    ...{ pubs: 0, subs: 1, clients: 0, window: 1, listens: true, topic: ownTopic, filter: everything },
  },
  conn: {
    summary: 'connect, and hold the connections',
    ...{ pubs: 0, subs: 0, clients: 1000, window: 100, topic: ownTopic, filter: everything },
  },
  pipe: {
    summary: 'one publisher, one subscriber',
    ...{ pubs: 1, subs: 1, clients: 0, window: 1000, paired: true, topic: ownTopic, filter: ownTopic },
  },
  fanout: {
    summary: 'every message goes to all subscribers',
    ...{ pubs: 1, subs: 1000, clients: 0, window: 20, topic: commonTopic, filter: commonTopic },
  },
  fanin: {
    summary: 'many publishers; each subscriber gets everything',
    ...{ pubs: 500, subs: 1, clients: 0, window: 1, topic: ownTopic, filter: (prefix) => `${prefix}/+` },
  },
  p2p: {
    summary: 'pairs: each publisher has a subscriber of its own',
    ...{ pubs: 50, subs: 50, clients: 0, window: 100, paired: true, topic: ownTopic, filter: ownTopic },
  },
  retained: {
    summary: 'subscribe again and again to retained messages',
    ...{ pubs: 0, subs: 1, clients: 0, window: 1, retained: true, topic: ownTopic, filter: everything },
  },
}
