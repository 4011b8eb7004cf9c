const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

const two = (value: number): string => String(value).padStart(2, '0')
const blank = (value: number): string => String(value).padStart(2, ' ')
const hour12 = (at: Date): number => at.getHours() % 12 || 12

function dayOfYear(at: Date): number {
  return Math.round((midnight(at) - midnight(new Date(at.getFullYear(), 0, 1))) / 86_400_000) + 1
}

/** A day as UTC, so that no summer time makes one shorter than another. */
function midnight(at: Date): number {
  return Date.UTC(at.getFullYear(), at.getMonth(), at.getDate())
}

/** Year and week of ISO 8601: weeks begin on Monday, and the first one has the year's first Thursday. */
function isoWeek(at: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(midnight(at))
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (at.getDay() || 7))
  const year = thursday.getUTCFullYear()
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / 604_800_000) + 1 }
}

function weekFrom(firstDay: number, at: Date): string {
  return two(Math.floor((dayOfYear(at) + 6 - ((at.getDay() - firstDay + 7) % 7)) / 7))
}

function offset(at: Date): string {
  const minutes = -at.getTimezoneOffset()
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`
}

function zone(at: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(at)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
}

/** The conversions of strftime(3) in the C locale, in local time. */
const conversions: Readonly<Record<string, (at: Date) => string>> = {
  a: (at) => days[at.getDay()]!.slice(0, 3),
  A: (at) => days[at.getDay()]!,
  b: (at) => months[at.getMonth()]!.slice(0, 3),
  B: (at) => months[at.getMonth()]!,
  c: (at) => strftime('%a %b %e %H:%M:%S %Y', at),
  C: (at) => two(Math.floor(at.getFullYear() / 100)),
  d: (at) => two(at.getDate()),
  D: (at) => strftime('%m/%d/%y', at),
  e: (at) => blank(at.getDate()),
  F: (at) => strftime('%Y-%m-%d', at),
  g: (at) => two(isoWeek(at).year % 100),
  G: (at) => String(isoWeek(at).year),
  h: (at) => strftime('%b', at),
  H: (at) => two(at.getHours()),
  I: (at) => two(hour12(at)),
  j: (at) => String(dayOfYear(at)).padStart(3, '0'),
  k: (at) => blank(at.getHours()),
  l: (at) => blank(hour12(at)),
  m: (at) => two(at.getMonth() + 1),
  M: (at) => two(at.getMinutes()),
  n: () => '\n',
  p: (at) => (at.getHours() < 12 ? 'AM' : 'PM'),
  P: (at) => (at.getHours() < 12 ? 'am' : 'pm'),
  r: (at) => strftime('%I:%M:%S %p', at),
  R: (at) => strftime('%H:%M', at),
  s: (at) => String(Math.floor(at.getTime() / 1000)),
  S: (at) => two(at.getSeconds()),
  t: () => '\t',
  T: (at) => strftime('%H:%M:%S', at),
  u: (at) => String(at.getDay() || 7),
  U: (at) => weekFrom(0, at),
  V: (at) => two(isoWeek(at).week),
  w: (at) => String(at.getDay()),
  W: (at) => weekFrom(1, at),
  x: (at) => strftime('%m/%d/%y', at),
  X: (at) => strftime('%H:%M:%S', at),
  y: (at) => two(at.getFullYear() % 100),
  Y: (at) => String(at.getFullYear()),
  z: offset,
  Z: zone,
  '%': () => '%',
}

/** Formats a time in the local time zone. A conversion that strftime(3) does not have stays as it is. */
export function strftime(format: string, at: Date): string {
  return format.replace(/%(.)/gsu, (whole, letter: string) => {
    return Object.hasOwn(conversions, letter) ? conversions[letter]!(at) : whole
  })
}

/** The nanoseconds of the current second, as far as the clock tells them: nine digits. */
export function nanoseconds(milliseconds: number): string {
  return String(Math.floor((milliseconds % 1000) * 1e6)).padStart(9, '0')
}
