import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { count, plain } from '../format.js'
import { State } from '../parts/shown.js'
import { texts } from '../texts.js'
import { shownAt, tree } from './feed.js'
import { type Row, rowsOf, type TopicNode } from './topic-tree.js'

const words = texts.topics
/** In CSS pixels, in topics.css too. */
const rowHeight = 30
const spare = 10
/** Topics that a search shows, at most. */
const mostFound = 1_000
const previewBytes = 80

interface TreeViewProps {
  readonly search: string
  readonly chosen: string | null
  readonly onChoose: (topic: string) => void
}

/** The tree, of which only the rows that are seen are in the page. Arrow keys walk through it. */
export function TreeView({ search, chosen, onChoose }: TreeViewProps): JSX.Element {
  const opened = useSignal<ReadonlySet<string>>(new Set())
  const at = useSignal(0)
  const box = useRef<HTMLDivElement>(null)
  const { top, height } = useWindow(box)
  void shownAt.value // values that are seen are shown anew
  const { shape } = tree
  const { rows, more } = useMemo(
    () => (search === '' ? { rows: rowsOf(tree.root, opened.value), more: 0 } : found(search)),
    [shape, opened.value, search],
  )
  const toggle = (node: TopicNode, isOpen: boolean): void => {
    const next = new Set(opened.value)
    if (isOpen) next.add(node.topic)
    else next.delete(node.topic)
    opened.value = next
  }
  const walk = (to: number): void => {
    at.value = Math.max(0, Math.min(rows.length - 1, to))
    const { current } = box
    if (!current) return
    const [from, until] = [at.value * rowHeight, (at.value + 1) * rowHeight]
    if (from < current.scrollTop) current.scrollTop = from
    if (until > current.scrollTop + current.clientHeight) current.scrollTop = until - current.clientHeight
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[at.value]
    const deed = row && keys(row, opened.value, { walk, toggle, choose: onChoose, at: at.value, rows })[event.key]
    if (!deed) return
    event.preventDefault()
    deed()
  }
  if (rows.length === 0) {
    return (
      <div class="panel">
        <State picture="empty" title={texts.state.nothing}>
          <p class="muted">{search === '' ? words.empty : words.emptySearch}</p>
        </State>
      </div>
    )
  }
  const from = Math.max(0, Math.floor(top / rowHeight) - spare)
  const to = Math.min(rows.length, Math.ceil((top + height) / rowHeight) + spare)
  return (
    <div class="panel treebox">
      <div
        class="tree"
        role="tree"
        aria-label={words.tree}
        tabIndex={0}
        ref={box}
        aria-activedescendant={`row-${at.value}`}
        onKeyDown={onKeyDown}
      >
        <div style={{ height: `${rows.length * rowHeight}px` }} role="presentation">
          <div style={{ transform: `translateY(${from * rowHeight}px)` }} role="presentation">
            {rows.slice(from, to).map((row, n) => (
              <TreeRow
                key={row.node.topic}
                id={`row-${from + n}`}
                row={row}
                isFlat={search !== ''}
                isOpen={opened.value.has(row.node.topic)}
                isChosen={row.node.topic === chosen}
                isAt={from + n === at.value}
                onToggle={(isOpen) => {
                  at.value = from + n
                  toggle(row.node, isOpen)
                }}
                onChoose={() => {
                  at.value = from + n
                  onChoose(row.node.topic)
                }}
              />
            ))}
          </div>
        </div>
      </div>
      {more > 0 && <p class="muted">{words.more(count(more))}</p>}
    </div>
  )
}

interface Deeds {
  readonly walk: (to: number) => void
  readonly toggle: (node: TopicNode, isOpen: boolean) => void
  readonly choose: (topic: string) => void
  readonly at: number
  readonly rows: readonly Row[]
}

/** What each key does, as trees have it (WAI-ARIA). */
function keys(
  { node }: Row,
  opened: ReadonlySet<string>,
  { walk, toggle, choose, at, rows }: Deeds,
): Readonly<Record<string, () => void>> {
  const isOpen = opened.has(node.topic)
  const hasMore = node.children.size > 0
  const parentAt = rows.findIndex((one) => one.node === node.parent)
  return {
    ArrowDown: () => walk(at + 1),
    ArrowUp: () => walk(at - 1),
    PageDown: () => walk(at + 20),
    PageUp: () => walk(at - 20),
    Home: () => walk(0),
    End: () => walk(rows.length - 1),
    ArrowRight: () => (hasMore && !isOpen ? toggle(node, true) : walk(at + 1)),
    ArrowLeft: () => (hasMore && isOpen ? toggle(node, false) : parentAt >= 0 && walk(parentAt)),
    Enter: () => choose(node.topic),
    ' ': () => choose(node.topic),
  }
}

interface TreeRowProps {
  readonly id: string
  readonly row: Row
  /** It stands in no tree: its whole topic is shown. */
  readonly isFlat: boolean
  readonly isOpen: boolean
  readonly isChosen: boolean
  readonly isAt: boolean
  readonly onToggle: (isOpen: boolean) => void
  readonly onChoose: () => void
}

function TreeRow({
  id,
  row: { node, depth },
  isFlat,
  isOpen,
  isChosen,
  isAt,
  onToggle,
  onChoose,
}: TreeRowProps): JSX.Element {
  const hasMore = !isFlat && node.children.size > 0
  const below = node.last ? node.topics - 1 : node.topics
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the tree around it has the focus
    <div
      id={id}
      role="treeitem"
      class={`branch${isChosen ? ' chosen' : ''}${isAt ? ' at' : ''}`}
      aria-level={depth + 1}
      aria-selected={isChosen}
      aria-expanded={hasMore ? isOpen : undefined}
      style={{ paddingLeft: `${0.4 + depth * 1.1}rem` }}
      onClick={() => (hasMore && !node.last ? onToggle(!isOpen) : onChoose())}
    >
      <span
        class="twist"
        aria-hidden="true"
        onClick={(event) => {
          event.stopPropagation()
          if (hasMore) onToggle(!isOpen)
        }}
      >
        {hasMore ? (isOpen ? '▾' : '▸') : ''}
      </span>
      <span class="name">{plain(isFlat ? node.topic : node.name) || '·'}</span>
      {node.isRetained && <span class="badge">{words.retained}</span>}
      <span class="preview">{node.last ? preview(node.last.payload) : ''}</span>
      {below > 0 && !isFlat && <span class="muted">{words.count(count(below), count(node.messages))}</span>}
    </div>
  )
}

/** How a payload begins, if it is a text. */
function preview(payload: Uint8Array): string {
  return plain(new TextDecoder().decode(payload.subarray(0, previewBytes)).replaceAll('\uFFFD', '·'))
}

function found(search: string): { readonly rows: readonly Row[]; readonly more: number } {
  const wanted = search.toLowerCase()
  const nodes = [...tree.all()].filter(({ topic }) => topic.toLowerCase().includes(wanted))
  const shown = nodes
    .slice(0, mostFound)
    .sort((one, other) => one.topic.localeCompare(other.topic, 'en', { numeric: true }))
  return { rows: shown.map((node) => ({ node, depth: 0 })), more: nodes.length - shown.length }
}

/** What of a box is seen. */
function useWindow(box: { readonly current: HTMLElement | null }): { readonly top: number; readonly height: number } {
  const seen = useSignal({ top: 0, height: 600 })
  useEffect(() => {
    const { current } = box
    if (!current) return
    const look = (): void => {
      seen.value = { top: current.scrollTop, height: current.clientHeight }
    }
    const observer = new ResizeObserver(look)
    observer.observe(current)
    current.addEventListener('scroll', look, { passive: true })
    return () => {
      observer.disconnect()
      current.removeEventListener('scroll', look)
    }
  })
  return seen.value
}
