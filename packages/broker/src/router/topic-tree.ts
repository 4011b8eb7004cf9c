/**
 * One level of a topic or filter. The wildcards have places of their own: most filters that end in one need no map for
 * it, and a walk finds them without looking for a name. What they mean is the business of the walks.
 */
class TopicNode<V> {
  value: V | undefined = undefined
  /** Under `+`. */
  any: TopicNode<V> | undefined = undefined
  /** Under `#`. */
  rest: TopicNode<V> | undefined = undefined
  children: Map<string, TopicNode<V>> | undefined = undefined

  get isEmpty(): boolean {
    return this.value === undefined && !this.any && !this.rest && !this.children
  }

  child(level: string): TopicNode<V> | undefined {
    if (level === '+') return this.any
    return level === '#' ? this.rest : this.children?.get(level)
  }

  childOrNew(level: string): TopicNode<V> {
    const known = this.child(level)
    if (known) return known
    const child = new TopicNode<V>()
    if (level === '+') this.any = child
    else if (level === '#') this.rest = child
    else {
      this.children ??= new Map()
      this.children.set(level, child)
    }
    return child
  }

  remove(level: string): void {
    if (level === '+') this.any = undefined
    else if (level === '#') this.rest = undefined
    else if (this.children?.delete(level) && this.children.size === 0) this.children = undefined
  }
}

/**
 * Values under topics or filters, level by level. Two walks find them again: {@link matchTopic} asks a tree of filters
 * with a Topic Name, {@link matchFilter} asks a tree of topics with a Topic Filter.
 */
export class TopicTree<V> {
  readonly root: TopicNode<V> = new TopicNode()

  get(path: string): V | undefined {
    let node: TopicNode<V> | undefined = this.root
    for (const level of path.split('/')) {
      node = node.child(level)
      if (!node) return undefined
    }
    return node.value
  }

  /** The value under `path`, made when there is none. */
  getOrSet(path: string, make: () => V): V {
    let node = this.root
    for (const level of path.split('/')) {
      node = node.childOrNew(level)
    }
    node.value ??= make()
    return node.value
  }

  /** Removes the value and every level that has become empty through it. */
  delete(path: string): void {
    const levels = path.split('/')
    const nodes: TopicNode<V>[] = [this.root]
    for (const level of levels) {
      const child = nodes.at(-1)!.child(level)
      if (!child) return
      nodes.push(child)
    }
    nodes.at(-1)!.value = undefined
    for (let depth = levels.length; depth > 0; depth--) {
      if (!nodes[depth]!.isEmpty) return
      nodes[depth - 1]!.remove(levels[depth - 1]!)
    }
  }
}

/** Calls `found` with the value of each filter in the tree that matches the Topic Name (section 4.7). */
export function matchTopic<V>(tree: TopicTree<V>, topic: string, found: (value: V) => void): void {
  const levels = topic.split('/')
  // Neither wildcard stands for a first level that begins with $ [MQTT-4.7.2-1].
  const firstWildcard = topic.startsWith('$') ? 1 : 0

  const walk = (node: TopicNode<V>, depth: number): void => {
    const wild = depth >= firstWildcard
    if (wild && node.rest?.value !== undefined) found(node.rest.value) // also matches its parent level
    if (depth === levels.length) {
      if (node.value !== undefined) found(node.value)
      return
    }
    const same = node.children?.get(levels[depth]!)
    if (same) walk(same, depth + 1)
    if (wild && node.any) walk(node.any, depth + 1)
  }
  walk(tree.root, 0)
}

/** Nodes a walk looks at before whoever reads it may let others have a turn. */
const nodesAStep = 16

/** The nodes below one that was found, still to be looked at. */
interface Level<V> {
  readonly children: Iterator<[string, TopicNode<V>]>
  /** Which level of the filter what is below them is to match. */
  readonly depth: number
  /** They may be the first level of topics. */
  readonly isFirst: boolean
}

/**
 * The values of all topics in the tree that match the Topic Filter. It yields `undefined` when it has looked at some nodes
 * and found nothing: each `next` is a small piece of work, however large the tree. The tree may change between two: what is
 * removed is not found, what is added may be.
 */
export function* matchFilter<V>(tree: TopicTree<V>, filter: string): Generator<V | undefined, undefined> {
  const walk = new Walk<V>(filter.split('/'))
  const first = walk.arrive(tree.root, 0)
  if (first !== undefined) yield first
  while (!walk.isOver) {
    const value = walk.step()
    if (value !== undefined || walk.looked >= nodesAStep) {
      walk.looked = 0
      yield value
    }
  }
}

/** Where a search for a filter stands. */
class Walk<V> {
  /** Nodes it has looked at since it was last set to 0. */
  looked = 0
  readonly #levels: readonly string[]
  readonly #below: Level<V>[] = []

  constructor(levels: readonly string[]) {
    this.#levels = levels
  }

  get isOver(): boolean {
    return this.#below.length === 0
  }

  /** Comes to a node that matches the levels before `depth`: goes down as far as the filter names levels. */
  arrive(from: TopicNode<V>, depth: number): V | undefined {
    let node: TopicNode<V> | undefined = from
    for (let at = depth; node; at++) {
      const level = this.#levels[at]
      if (level === undefined) return node.value
      if (level === '+' || level === '#') return this.#spread(node, level, at)
      node = node.children?.get(level)
      this.looked++
    }
    return undefined
  }

  /** A wildcard stands for all that is below; `#` also for the parent level. */
  #spread({ children, value }: TopicNode<V>, level: '+' | '#', at: number): V | undefined {
    if (children)
      this.#below.push({ children: children.entries(), depth: level === '+' ? at + 1 : at, isFirst: at === 0 })
    return level === '#' ? value : undefined
  }

  /** Looks at the next node. */
  step(): V | undefined {
    this.looked++
    const level = this.#below.at(-1)!
    const { done, value: child } = level.children.next()
    if (done) {
      this.#below.pop()
      return undefined
    }
    if (level.isFirst && this.#below.length === 1 && child[0].startsWith('$')) return undefined // [MQTT-4.7.2-1]
    return this.arrive(child[1], level.depth)
  }
}
