/** A message as the tree keeps it. */
export interface Value {
  /** Epoch ms. */
  readonly at: number
  readonly payload: Uint8Array
  readonly qos: number
  readonly retain: boolean
  readonly contentType: string | undefined
}

/** A level of topics: it may have a message of its own, and levels below it. */
export class TopicNode {
  readonly topic: string
  /** The last level of its topic. */
  readonly name: string
  readonly parent: TopicNode | undefined
  readonly children: Map<string, TopicNode> = new Map()
  /** What came last, and before: the oldest first. */
  readonly values: Value[] = []
  /** Whether something is retained for it, as far as it was seen. */
  isRetained = false
  /** Topics with a message, at and below it. */
  topics = 0
  /** Messages that came, at and below it. */
  messages = 0
  #sorted: readonly TopicNode[] | undefined

  constructor(topic: string, name: string, parent: TopicNode | undefined) {
    this.topic = topic
    this.name = name
    this.parent = parent
  }

  get last(): Value | undefined {
    return this.values.at(-1)
  }

  /** By name, numbers in their order. */
  get sorted(): readonly TopicNode[] {
    this.#sorted ??= [...this.children.values()].sort((one, other) => order.compare(one.name, other.name))
    return this.#sorted
  }

  add(child: TopicNode): void {
    this.children.set(child.name, child)
    this.#sorted = undefined
  }

  delete(child: TopicNode): void {
    this.children.delete(child.name)
    this.#sorted = undefined
  }
}

const order = new Intl.Collator('en', { numeric: true })

/** What there may be of everything; beyond, older values and quiet topics go first. */
export interface TreeBounds {
  readonly topics: number
  /** Payloads of all values, with what stands around each. */
  readonly bytes: number
  /** Values of one topic. */
  readonly values: number
}

export const defaultBounds: TreeBounds = { topics: 150_000, bytes: 96 * 1_048_576, values: 100 }

/** What a value costs beside its payload, and a topic beside its values, roughly. */
const valueBytes = 120
const topicBytes = 400

/** The topics that were seen, as a tree, in bounded memory. */
export class TopicTree {
  readonly root: TopicNode = new TopicNode('', '', undefined)
  /** Topics with a message, the quietest first. */
  readonly #topics = new Map<string, TopicNode>()
  /** Nodes in the order in which their values came: the front of it is the oldest value of all. */
  #arrivals: TopicNode[] = []
  #firstArrival = 0
  readonly #bounds: TreeBounds
  #bytes = 0
  /** Values, and topics, that had to go. */
  dropped: { values: number; topics: number } = { values: 0, topics: 0 }
  /** Another one after every change of which topics there are. */
  shape = 0

  constructor(bounds: TreeBounds = defaultBounds) {
    this.#bounds = bounds
  }

  get topics(): number {
    return this.#topics.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** In no order of names. */
  all(): Iterable<TopicNode> {
    return this.#topics.values()
  }

  find(topic: string): TopicNode | undefined {
    return this.#topics.get(topic)
  }

  add(topic: string, value: Value): void {
    const known = this.#topics.get(topic)
    const node = known ?? this.#nodeAt(topic)
    if (known) this.#topics.delete(topic)
    this.#topics.set(topic, node) // it is not quiet now
    if (!known) {
      this.#bytes += topicBytes
      this.shape++
      for (let up: TopicNode | undefined = node; up; up = up.parent) up.topics++
    }
    for (let up: TopicNode | undefined = node; up; up = up.parent) up.messages++
    // Nothing is retained any more where that is empty; where it is not marked, nothing is known of it.
    if (value.retain) node.isRetained = value.payload.length > 0
    node.values.push(value)
    this.#arrivals.push(node)
    this.#bytes += value.payload.length + valueBytes
    this.#makeRoom(node)
  }

  /** Forgets all of it. */
  clear(): void {
    this.root.children.clear()
    this.root.topics = 0
    this.root.messages = 0
    this.#topics.clear()
    this.#arrivals = []
    this.#firstArrival = 0
    this.#bytes = 0
    this.dropped = { values: 0, topics: 0 }
    this.shape++
  }

  #nodeAt(topic: string): TopicNode {
    let node = this.root
    for (const [at, name] of topic.split('/').entries()) {
      let next = node.children.get(name)
      if (!next) {
        next = new TopicNode(at === 0 ? name : `${node.topic}/${name}`, name, node)
        node.add(next)
      }
      node = next
    }
    return node
  }

  #makeRoom(node: TopicNode): void {
    if (node.values.length > this.#bounds.values) this.#dropValue(node)
    while (this.#topics.size > this.#bounds.topics) this.#dropQuietest()
    while (this.#bytes > this.#bounds.bytes && this.#dropOldest());
    while (this.#bytes > this.#bounds.bytes && this.#topics.size > 1) this.#dropQuietest()
  }

  /** Of all values that are not the last of their topic. */
  #dropOldest(): boolean {
    for (; this.#firstArrival < this.#arrivals.length; this.#firstArrival++) {
      const node = this.#arrivals[this.#firstArrival]!
      if (node.values.length < 2) continue // its last one stays, or it is gone
      this.#firstArrival++
      this.#compact()
      this.#dropValue(node)
      return true
    }
    this.#compact()
    return false
  }

  #compact(): void {
    if (this.#firstArrival < 10_000 || this.#firstArrival < this.#arrivals.length / 2) return
    this.#arrivals = this.#arrivals.slice(this.#firstArrival)
    this.#firstArrival = 0
  }

  #dropValue(node: TopicNode): void {
    const gone = node.values.shift()
    if (!gone) return
    this.#bytes -= gone.payload.length + valueBytes
    this.dropped.values++
  }

  #dropQuietest(): void {
    const [first] = this.#topics
    if (!first) return
    const [topic, node] = first
    this.#topics.delete(topic)
    for (const { payload } of node.values) this.#bytes -= payload.length + valueBytes
    node.values.length = 0
    node.isRetained = false
    this.#bytes -= topicBytes
    this.dropped.topics++
    this.shape++
    for (let up: TopicNode | undefined = node; up; up = up.parent) up.topics--
    for (let up: TopicNode | undefined = node; up?.parent && up.topics === 0; up = up.parent) up.parent.delete(up)
  }
}

/** A row of the tree as it is shown. */
export interface Row {
  readonly node: TopicNode
  readonly depth: number
}

/** The rows of all that is opened, in their order. */
export function rowsOf(root: TopicNode, opened: ReadonlySet<string>): readonly Row[] {
  const rows: Row[] = []
  const walk = (node: TopicNode, depth: number): void => {
    for (const child of node.sorted) {
      rows.push({ node: child, depth })
      if (child.children.size > 0 && opened.has(child.topic)) walk(child, depth + 1)
    }
  }
  walk(root, 0)
  return rows
}
