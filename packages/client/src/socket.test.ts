import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { connect } from './index.js'
import { openSocket } from './socket.js'

test('without TCP in the environment connect() says so, and says what to do', async () => {
  await expect(connect('mqtt://broker', { openStream: openSocket })).rejects.toMatchObject({
    code: 'transport-unavailable',
    permanent: true,
    message: "mqtt://broker: this environment has no TCP; pass 'openStream' to connect over a stream of your own",
  })
})

test('Node is reachable only through #socket and the door of the file store', () => {
  const root = new URL('.', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const forNode = ['socket-node.ts', 'file-store.ts']
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !forNode.includes(file))
  expect(sources.length).toBeGreaterThan(20)
  for (const file of sources) {
    expect(readFileSync(new URL(file, root), 'utf8'), file).not.toMatch(
      /from 'node:|\bBuffer\b|\bprocess\.\w|socket-node|from '[./]+file-store/,
    )
  }
})
