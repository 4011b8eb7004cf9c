import { ProtocolError } from './errors.js'

const plain = /^[\x20-\x7e]*$/

/**
 * What of a string may not stand in an MQTT packet, or `undefined`. U+0000 [MQTT-1.5.3-2] and surrogates never may; control
 * characters and Unicode's non-characters only where both sides have agreed to them.
 */
export function flawOfText(text: string, allowControlCharacters: boolean): string | undefined {
  if (plain.test(text)) return undefined
  for (const character of text) {
    const point = character.codePointAt(0)!
    if (point === 0) return 'U+0000'
    if (point >= 0xd800 && point < 0xe000) return 'a surrogate'
    if (allowControlCharacters) continue
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return 'a control character'
    if ((point & 0xfffe) === 0xfffe || (point >= 0xfdd0 && point < 0xfdf0)) return 'a Unicode non-character'
  }
  return undefined
}

/** @throws ProtocolError `malformed-packet`; also for what is no string: types do not hold everywhere. */
export function checkText(text: string, allowControlCharacters: boolean): string {
  if (typeof text !== 'string') throw new ProtocolError('malformed-packet', `a ${typeof text} where a string belongs`)
  const flaw = flawOfText(text, allowControlCharacters)
  if (flaw) throw new ProtocolError('malformed-packet', `${flaw} in a string`)
  return text
}

/** A string from the other side as it may stand in an error: quoted, and no longer than a line. */
export function quote(text: string): string {
  const shown = String(text) // also of what is no string
  return JSON.stringify(shown.length > 64 ? `${shown.slice(0, 64)}…` : shown)
}
