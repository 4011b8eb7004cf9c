import { expect, test } from 'vitest'

Object.assign(globalThis, {
  location: { hash: '', href: 'http://localhost/' },
  localStorage: { getItem: () => null, setItem() {}, removeItem() {} },
  addEventListener() {},
  matchMedia: () => ({ matches: false, addEventListener() {} }),
  document: { hidden: false, documentElement: { dataset: {} } },
})
const { curvesOfHistory, curvesOfPoints } = await import('./curves.js')

test('curves are the same of points that came and of what the server has kept', () => {
  const points = [
    { at: '2026-11-30T12:00:00Z', clients: 1, publishReceivedQos1: 5, commitSeconds: null },
    { at: '2026-11-30T12:00:01Z', clients: 2, publishReceivedQos1: 7, commitSeconds: 0.01 },
  ]
  const curves = curvesOfPoints(points)
  expect(curves.times).toEqual([1_796_040_000, 1_796_040_001])
  expect(curves.clients[0]?.values).toEqual([1, 2])
  expect(curves.in.map(({ values }) => values)).toEqual([
    [null, null],
    [5, 7],
    [null, null],
  ])
  expect(curves.commit[0]?.values).toEqual([null, 0.01])
  const nothing = [null, null]
  const series = {
    clients: [1, 2],
    publishReceivedQos0: nothing,
    publishReceivedQos1: [5, 7],
    publishReceivedQos2: nothing,
  }
  const kept = curvesOfHistory({ stepSeconds: 1, times: curves.times, series })
  expect([kept.clients, kept.in]).toEqual([curves.clients, curves.in])
})
