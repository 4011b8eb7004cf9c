import { afterAll, beforeAll, expect, test } from 'vitest'
import { strftime } from './strftime.js'

const zone = process.env.TZ
beforeAll(() => {
  process.env.TZ = 'America/New_York'
})
afterAll(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const morning = new Date('2021-01-03T00:05:09-05:00') // a Sunday: still in the last week of 2020 by ISO 8601
const evening = new Date('2024-12-30T17:45:00-05:00') // a Monday: already in the first week of 2025

test.each([
  ['%Y-%m-%d %H:%M:%S', '2021-01-03 00:05:09', '2024-12-30 17:45:00'],
  ['%F %T %R', '2021-01-03 00:05:09 00:05', '2024-12-30 17:45:00 17:45'],
  ['%a %A %b %B %h', 'Sun Sunday Jan January Jan', 'Mon Monday Dec December Dec'],
  ['%c', 'Sun Jan  3 00:05:09 2021', 'Mon Dec 30 17:45:00 2024'],
  ['%x %X %D', '01/03/21 00:05:09 01/03/21', '12/30/24 17:45:00 12/30/24'],
  ['%I:%M %p %P|%k|%l|%r', '12:05 AM am| 0|12|12:05:09 AM', '05:45 PM pm|17| 5|05:45:00 PM'],
  ['%e %j %y %C', ' 3 003 21 20', '30 365 24 20'],
  ['%u %w %U %W', '7 0 01 00', '1 1 52 53'],
  ['%G-W%V %g', '2020-W53 20', '2025-W01 25'],
  ['%s %z', '1609650309 -0500', '1735598700 -0500'],
  ['%n%t%%', '\n\t%', '\n\t%'],
  ['%Q %', '%Q %', '%Q %'],
])('%o', (format, first, second) => {
  expect(strftime(format, morning)).toBe(first)
  expect(strftime(format, evening)).toBe(second)
})

test('days are counted right across the change to summer time', () => {
  expect(strftime('%j %z', new Date('2024-07-01T12:00:00Z'))).toBe('183 -0400')
})

test('zones east of Greenwich, and with half hours', () => {
  process.env.TZ = 'Asia/Kolkata'
  expect(strftime('%z', morning)).toBe('+0530')
})
