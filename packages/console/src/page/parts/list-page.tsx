import type { ComponentChildren, JSX } from 'preact'
import type { Listed } from '../answers.js'
import { get, type Query } from '../api.js'
import { texts } from '../texts.js'
import { type Column, DataTable } from './data-table.js'
import { useLonger } from './longer.js'
import { type RemoteSource, useRemote } from './remote.js'
import { Shown, State } from './shown.js'

interface ListProps<Row> {
  readonly label: string
  readonly path: string
  /** What is asked for besides; a change asks anew. */
  readonly query?: Query
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
  readonly empty: ComponentChildren
  readonly sort?: string
  readonly onSort?: (sort: string) => void
  /** Asked for again after so long. Default: not. */
  readonly everyMs?: number
}

/** A list of the API as a table: the first hundred, and more when asked for. */
export function List<Row>(props: ListProps<Row>): JSX.Element {
  const { list, source } = useList(props)
  return list(source)
}

/** The same, for whoever has to ask for it again. */
export function useList<Row>({
  label,
  path,
  query = {},
  columns,
  keyOf,
  empty,
  sort,
  onSort,
  everyMs,
}: ListProps<Row>): {
  readonly source: RemoteSource<Listed<Row>>
  readonly list: (source: RemoteSource<Listed<Row>>) => JSX.Element
} {
  const key = `${path}\n${JSON.stringify(query)}\n${sort ?? ''}`
  const longer = useLonger(key)
  const { value: limit } = longer.limit
  const source = useRemote(
    `${key}\n${limit}`,
    (signal) => get<Listed<Row>>(path, { ...query, limit, sort: sort || undefined }, signal),
    everyMs === undefined ? {} : { everyMs },
  )
  const list = (of: RemoteSource<Listed<Row>>): JSX.Element => (
    <Shown of={of}>
      {({ items, next }) =>
        items.length === 0 && next === null ? (
          <State picture="empty" title={texts.state.nothing}>
            <p class="muted">{empty}</p>
          </State>
        ) : (
          <>
            <DataTable label={label} columns={columns} rows={items} keyOf={keyOf} sort={sort} onSort={onSort} />
            <longer.More shown={items.length} next={next} />
          </>
        )
      }
    </Shown>
  )
  return { source, list }
}
