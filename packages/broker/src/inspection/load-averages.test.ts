import { expect, test } from 'vitest'
import { LoadAverages } from './load-averages.js'

test('load a minute: what lasts is reached, what is over fades', () => {
  const load = new LoadAverages()
  expect(load.values).toEqual([
    ['1min', '0.00'],
    ['5min', '0.00'],
    ['15min', '0.00'],
  ])
  load.update(10, 10) // sixty a minute, for ten seconds
  expect(load.values.map(([, perMinute]) => perMinute)).toEqual(['9.21', '1.97', '0.66'])
  for (let minute = 1; minute <= 90; minute++) load.update(10 + 60 * minute, 60)
  expect(load.values.map(([, perMinute]) => Math.round(Number(perMinute)))).toEqual([60, 60, 60])
  load.update(10 + 60 * 90, 60)
  expect(load.values.map(([, perMinute]) => Math.round(Number(perMinute)))).toEqual([22, 49, 56])
})
