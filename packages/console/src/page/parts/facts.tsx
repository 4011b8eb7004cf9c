import type { ComponentChildren, JSX } from 'preact'
import type { Column } from './data-table.js'

interface FactsProps<Row> {
  /** The first of them, which names what it is about, is left out. */
  readonly columns: readonly Column<Row>[]
  readonly row: Row
  /** More of them. */
  readonly children?: ComponentChildren
}

/** All that the columns of a list say of one row. */
export function Facts<Row>({ columns, row, children }: FactsProps<Row>): JSX.Element {
  return (
    <dl class="facts">
      {columns.slice(1).map(({ name, title, cell }) => (
        <Fact key={name} title={title}>
          {cell(row) || '–'}
        </Fact>
      ))}
      {children}
    </dl>
  )
}

interface FactProps {
  readonly title: string
  readonly children: ComponentChildren
}

export function Fact({ title, children }: FactProps): JSX.Element {
  return (
    <div class="pair">
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  )
}
