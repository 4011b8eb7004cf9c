import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { texts } from '../texts.js'

/** A column of a table. */
export interface Column<Row> {
  readonly name: string
  readonly title: string
  cell(row: Row): ComponentChildren
  readonly isNumber?: boolean
  /** What is asked of the server to have it sorted by this. Default: it cannot be. */
  readonly sort?: string
}

interface DataTableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  /** @param at its place among all. */
  readonly keyOf: (row: Row, at: number) => string
  /** As the server was asked: `queued`, `-queued`. */
  readonly sort?: string | undefined
  readonly onSort?: ((sort: string) => void) | undefined
}

/** The height of a row in CSS pixels, in parts.css too. */
const rowHeight = 36
/** Rows beyond what is seen that are there already. */
const spare = 12
/** A shorter list is there as a whole. */
const fewRows = 80

/** A table of which only the rows that are seen are in the page, however many there are. */
export function DataTable<Row>({ label, columns, rows, keyOf, sort, onSort }: DataTableProps<Row>): JSX.Element {
  const box = useRef<HTMLElement>(null)
  const top = useSignal(0)
  const height = useSignal(600)
  useEffect(() => {
    const { current } = box
    if (!current) return
    const look = (): void => {
      top.value = current.scrollTop
      height.value = current.clientHeight
    }
    const observer = new ResizeObserver(look)
    observer.observe(current)
    current.addEventListener('scroll', look, { passive: true })
    return () => {
      observer.disconnect()
      current.removeEventListener('scroll', look)
    }
  }, [top, height])
  const isWhole = rows.length <= fewRows
  const from = isWhole ? 0 : Math.max(0, Math.min(Math.floor(top.value / rowHeight), rows.length) - spare)
  const to = isWhole ? rows.length : Math.min(rows.length, Math.ceil((top.value + height.value) / rowHeight) + spare)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
    <section class="table tall" ref={box} tabIndex={0} aria-label={label}>
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.name} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Space rows={from} columns={columns.length} />
          {rows.slice(from, to).map((row, at) => (
            <tr key={keyOf(row, from + at)} aria-rowindex={from + at + 2}>
              {columns.map((column) => (
                <td key={column.name} class={column.isNumber ? 'number' : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          <Space rows={rows.length - to} columns={columns.length} />
        </tbody>
      </table>
    </section>
  )
}

interface HeadProps<Row> extends Pick<DataTableProps<Row>, 'sort' | 'onSort'> {
  readonly column: Column<Row>
}

function Head<Row>({ column, sort, onSort }: HeadProps<Row>): JSX.Element {
  const { title, isNumber, sort: by } = column
  const isUp = by !== undefined && sort === by
  const isDown = by !== undefined && sort === `-${by}`
  return (
    <th
      scope="col"
      class={isNumber ? 'number' : undefined}
      aria-sort={isUp ? 'ascending' : isDown ? 'descending' : undefined}
    >
      {by !== undefined && onSort ? (
        <button type="button" title={texts.table.sortBy(title)} onClick={() => onSort(isDown ? by : `-${by}`)}>
          {title}
          {isUp ? ' ↑' : isDown ? ' ↓' : ''}
        </button>
      ) : (
        title
      )}
    </th>
  )
}

/** Stands for rows that are not in the page. */
function Space({ rows, columns }: { readonly rows: number; readonly columns: number }): JSX.Element | null {
  if (rows === 0) return null
  return (
    <tr class="space">
      <td colSpan={columns} style={{ height: `${rows * rowHeight}px` }} />
    </tr>
  )
}
