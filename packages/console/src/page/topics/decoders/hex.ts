import { type Decoder, hexOf, textOf } from './decoded.js'

const inLine = 16
const mostBytes = 4_096

/** Bytes as they are: where, in hex, and as ASCII. */
export const decode: Decoder = (bytes) => {
  const lines: string[] = []
  for (let at = 0; at < Math.min(bytes.length, mostBytes); at += inLine) {
    const line = bytes.subarray(at, at + inLine)
    const ascii = Array.from(line, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hexOf(line).padEnd(3 * inLine - 1)}  ${ascii}`)
  }
  if (bytes.length > mostBytes) lines.push('…')
  return textOf(lines.join('\n'))
}
