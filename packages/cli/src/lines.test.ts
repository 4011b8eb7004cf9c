import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lines } from './lines.js'

async function linesOf(...chunks: readonly (string | Uint8Array)[]): Promise<Buffer[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield Buffer.from(chunk)
  }
  const found: Buffer[] = []
  for await (const line of lines(stream())) found.push(Buffer.from(line))
  return found
}

test.each([
  ['nothing', [], []],
  ['whole lines', ['a\nb\n'], ['a', 'b']],
  ['a last line without its line feed', ['a\nb'], ['a', 'b']],
  ['empty lines, which are messages too', ['\n\na\n'], ['', '', 'a']],
  ['a line over several chunks', ['a', 'b', 'c\nd'], ['abc', 'd']],
  ['a line feed at the start of a chunk', ['a', '\nb\n'], ['a', 'b']],
  ['carriage returns, which are kept', ['a\r\n'], ['a\r']],
])('%s', async (_what, chunks, expected) => {
  expect((await linesOf(...chunks)).map(String)).toEqual(expected)
})

test('bytes that are not text stay as they are', async () => {
  expect(await linesOf(Buffer.from([0, 0xff, 0x0a, 0xc3]), Buffer.from([0x28, 0x0a]))).toEqual([
    Buffer.from([0, 0xff]),
    Buffer.from([0xc3, 0x28]),
  ])
})

test('any chunking gives the same lines', async () => {
  const text = fc.array(fc.constantFrom('a', 'bc', '\n', 'é')).map((parts) => Buffer.from(parts.join('')))
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(40)), async (whole, cuts) => {
      const ends = [...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].sort((a, b) => a - b)
      const chunks = ends.map((end, n) => whole.subarray(ends[n - 1] ?? 0, end))
      expect(await linesOf(...chunks)).toEqual(await linesOf(whole))
    }),
  )
})

test('lines are read no faster than they are taken', async () => {
  let read = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      read++
      yield Buffer.from('line\n')
    }
  }
  const taken = lines(endless())
  await taken.next()
  await taken.next()
  expect(read).toBe(2)
})
