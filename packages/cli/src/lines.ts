/**
 * The lines of a byte stream, as bytes, without their line feeds; a last line may lack its own. Read only as fast as the
 * lines are taken.
 */
export async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let unfinished: Uint8Array[] = []
  for await (const chunk of stream) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const rest = chunk.subarray(start, end)
      start = end + 1
      if (unfinished.length === 0) {
        yield rest
        continue
      }
      yield Buffer.concat([...unfinished, rest])
      unfinished = []
    }
    if (start < chunk.length) unfinished.push(chunk.subarray(start))
  }
  if (unfinished.length > 0) yield Buffer.concat(unfinished)
}
