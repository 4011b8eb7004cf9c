import { type LogLine, unsafe } from './text-log.js'

/** A log line as JSON: `{"time":…,"level":…,"message":…}` and the fields beside them. */
export function jsonLine({ at, level, message, fields }: LogLine): string {
  const head = { time: at.toISOString(), level, message }
  const line = JSON.stringify(Object.assign({ time: '', level, message, ...fields }, head)) // no field takes the place of the three
  return plain.test(line) ? line : line.replace(unsafe, escaped)
}

/** Nearly every line: nothing to look for in the tables of Unicode. */
const plain = /^[\x20-\x7e]*$/

/** As JSON escapes it: by units of UTF-16. */
function escaped(text: string): string {
  let units = ''
  for (let at = 0; at < text.length; at++) units += `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
  return units
}
