/** One level of a topic or filter. `+` and `#` are ordinary keys here; what they mean is the business of the walks. */
export interface TopicNode<V> {
  value: V | undefined
  children: Map<string, TopicNode<V>> | undefined
}

/**
 * Values under topics or filters, level by level. Two walks find them again: {@link matchTopic} asks a tree of filters
 * with a Topic Name, {@link matchFilter} asks a tree of topics with a Topic Filter.
 */
export class TopicTree<V> {
  readonly root: TopicNode<V> = { value: undefined, children: undefined }

  get(path: string): V | undefined {
    let node: TopicNode<V> | undefined = this.root
    for (const level of path.split('/')) {
      node = node.children?.get(level)
      if (!node) return undefined
    }
    return node.value
  }

  /** The value under `path`, made when there is none. */
  getOrSet(path: string, make: () => V): V {
    let node = this.root
    for (const level of path.split('/')) {
      node.children ??= new Map()
      let child = node.children.get(level)
      if (!child) {
        child = { value: undefined, children: undefined }
        node.children.set(level, child)
      }
      node = child
    }
    node.value ??= make()
    return node.value
  }

  /** Removes the value and every level that has become empty through it. */
  delete(path: string): void {
    const levels = path.split('/')
    const nodes: TopicNode<V>[] = [this.root]
    for (const level of levels) {
      const child = nodes.at(-1)?.children?.get(level)
      if (!child) return
      nodes.push(child)
    }
    nodes.at(-1)!.value = undefined
    for (let depth = levels.length; depth > 0; depth--) {
      const node = nodes[depth]!
      if (node.value !== undefined || node.children) return
      const parent = nodes[depth - 1]!
      parent.children!.delete(levels[depth - 1]!)
      if (parent.children!.size === 0) parent.children = undefined
    }
  }
}

/** Calls `found` with the value of each filter in the tree that matches the Topic Name (section 4.7). */
export function matchTopic<V>(tree: TopicTree<V>, topic: string, found: (value: V) => void): void {
  const levels = topic.split('/')
  // Neither wildcard stands for a first level that begins with $ [MQTT-4.7.2-1].
  const firstWildcard = topic.startsWith('$') ? 1 : 0

  const walk = (node: TopicNode<V>, depth: number): void => {
    const { children } = node
    if (children && depth >= firstWildcard) {
      const rest = children.get('#') // also matches its parent level
      if (rest?.value !== undefined) found(rest.value)
    }
    if (depth === levels.length) {
      if (node.value !== undefined) found(node.value)
      return
    }
    if (!children) return
    const same = children.get(levels[depth]!)
    if (same) walk(same, depth + 1)
    const any = depth >= firstWildcard ? children.get('+') : undefined
    if (any) walk(any, depth + 1)
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
