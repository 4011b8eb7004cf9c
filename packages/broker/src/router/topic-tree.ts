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

/** The values of all topics in the tree that match the Topic Filter; the work grows with what is found, not with the tree. */
export function* matchFilter<V>(tree: TopicTree<V>, filter: string): Generator<V, undefined> {
  yield* walkFilter(tree.root, filter.split('/'), 0)
}

function* walkFilter<V>(node: TopicNode<V>, levels: readonly string[], depth: number): Generator<V, undefined> {
  const level = levels[depth]
  if (level === undefined) {
    if (node.value !== undefined) yield node.value
  } else if (level === '#') {
    yield* everything(node, depth === 0)
  } else if (level === '+') {
    for (const [name, child] of node.children ?? []) {
      if (depth > 0 || !name.startsWith('$')) yield* walkFilter(child, levels, depth + 1) // [MQTT-4.7.2-1]
    }
  } else {
    const child = node.children?.get(level)
    if (child) yield* walkFilter(child, levels, depth + 1)
  }
}

/** The node's own value, since `#` includes its parent, and all below it. */
function* everything<V>(node: TopicNode<V>, isRoot: boolean): Generator<V, undefined> {
  if (node.value !== undefined) yield node.value
  for (const [name, child] of node.children ?? []) {
    if (!isRoot || !name.startsWith('$')) yield* everything(child, false)
  }
}
