import { expect, test } from 'vitest'
import { consoleToLog } from './console-to-log.js'

test('what a library prints is a line of the log, until the log ends', () => {
  const lines: unknown[] = []
  const library = console
  const { error, warn } = library
  const restore = consoleToLog({ log: (...line) => void lines.push(line) })
  library.error(new Error('Input/output error'))
  library.warn('at %d', 1)
  restore()
  expect(lines).toEqual([
    ['debug', 'a library says', { text: 'Input/output error' }],
    ['debug', 'a library says', { text: 'at 1' }],
  ])
  expect(console).toMatchObject({ error, warn })
})
