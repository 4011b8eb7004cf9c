/** Where the deliveries of a session of format 1 stand. */
export interface Cursor {
  readonly head: number
  readonly next: number
  readonly tail: number
  readonly handshakes: Uint8Array
  readonly mayHaveSentMore: boolean
}

export function readCursor(record: Buffer): Cursor {
  const [head, next, tail] = [0, 6, 12].map((at) => record.readUIntBE(at, 6)) as [number, number, number]
  const handshakes = new Uint8Array(next - head)
  let filled = 0
  for (let at = 25; at < record.length; at += 5) {
    const end = filled + record.readUInt32BE(at + 1)
    handshakes.fill(record[at]!, filled, end)
    filled = end
  }
  return { head, next, tail, handshakes, mayHaveSentMore: record[24] === 1 }
}
