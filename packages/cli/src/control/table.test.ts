import { expect, test } from 'vitest'
import { type Column, table } from './table.js'

type Row = readonly [name: string, user: string, queued: number]
const columns: readonly Column<Row>[] = [
  { title: 'CLIENT', text: ([name]) => name, least: 8 },
  { title: 'QUEUED', text: ([, , queued]) => String(queued), align: 'right' },
  { title: 'USER', text: ([, user]) => user, least: 6 },
]
const rows: readonly Row[] = [
  ['lamp', 'alice', 5],
  ['a-rather-long-name', 'bob-the-builder', 1_000],
]

test.each([
  [
    Number.POSITIVE_INFINITY,
    [
      'CLIENT              QUEUED  USER',
      'lamp                     5  alice',
      'a-rather-long-name    1000  bob-the-builder',
    ],
  ],
  [36, ['CLIENT         QUEUED  USER', 'lamp                5  alice', 'a-rather-lon…    1000  bob-the-buil…']],
  [24, ['CLIENT    QUEUED  USER', 'lamp           5  alice', 'a-rathe…    1000  bob-t…']],
  [23, ['CLIENT           QUEUED', 'lamp                  5', 'a-rather-long-…    1000']],
  [10, ['CLIENT', 'lamp', 'a-rather-…']],
])('fits %f columns', (room, lines) => {
  expect(table(columns, rows, room)).toEqual(lines)
})

test('without rows has its titles', () => {
  expect(table(columns, [], 80)).toEqual(['CLIENT  QUEUED  USER'])
})
