import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { connect } from './index.js'
import { dialCheck, headersCheck, socketOpener, tlsCheck } from './socket-browser.js'

const nothing = {
  servers: [],
  tls: undefined,
  headers: undefined,
  dial: undefined,
  subprotocols: ['mqtt'],
  maxMessageBytes: 0,
}

describe('an environment without sockets of its own', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  test.each(['mqtt://broker', 'mqtts://broker', 'unix:///run/mqtt.sock'])(
    '%s: it says so, and what to do',
    async (url) => {
      await expect(connect(url, { openStream: socketOpener(nothing) })).rejects.toMatchObject({
        code: 'transport-unavailable',
        permanent: true,
        message: `${url}: this environment has no TCP; use ws:// or wss://, or pass 'openStream' for a stream of your own`,
      })
    },
  )

  test('without a WebSocket, too', async () => {
    vi.stubGlobal('WebSocket', undefined)
    await expect(connect('ws://broker', { openStream: socketOpener(nothing) })).rejects.toMatchObject({
      code: 'transport-unavailable',
      message: expect.stringContaining('this environment has no WebSocket'),
    })
  })

  test('what only Node can do is refused', () => {
    expect(tlsCheck({}, 'tls')).toMatch("'tls' is not for this environment")
    expect(headersCheck({}, 'headers')).toMatch("'headers' are not for this environment")
    expect(dialCheck(() => {}, 'dial')).toMatch("'dial' is not for this environment")
  })
})

test('nothing of Node, and no package for it, is reachable where #socket is not its form for Node', () => {
  const root = new URL('.', import.meta.url)
  const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')
  const { imports } = JSON.parse(read('../package.json')) as { imports: { '#socket': { default: string } } }
  const asSource = (path: string): string => path.replace('./dist/', './').replace(/\.js$/, '.ts')
  const seen = new Set(['./index.ts', './no-file-store.ts', './indexeddb-store.ts'])
  for (const file of seen) {
    const text = read(file)
    expect(text, file).not.toMatch(/\bBuffer\b|\bprocess\.\w/)
    for (const { fileName } of ts.preProcessFile(text, true, true).importedFiles) {
      if (fileName === '@godwit/protocol') continue
      const path = fileName === '#socket' ? imports['#socket'].default : fileName
      expect(path, `${file} imports ${fileName}`).toMatch(/^\.\.?\//)
      seen.add(`./${new URL(asSource(path), new URL(file, root)).href.slice(root.href.length)}`)
    }
  }
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /(?<!\.test)\.ts$/.test(file),
  )
  const unseen = sources.filter((file) => !seen.has(`./${file}`))
  const exported = ['file-store.ts', 'relay.ts', 'state/session-log.ts']
  const ofNode = ['socket-node.ts', 'tls-check.ts', 'tls-node.ts', 'unix-server.ts', 'websocket-node.ts']
  expect(unseen.sort()).toEqual([...exported, ...ofNode].sort())
})
