import { expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'
import { benchSettings } from './bench.js'

const defaults = {
  ...{ way: { url: 'mqtt://localhost:1883' }, version: 4, qos: 0, size: 64, clean: true, seconds: 5, warmupSeconds: 1 },
}

test.each([
  [['pub'], { scenario: 'pub', pubs: 1, subs: 0, window: 1000, topic: 'bench' }],
  [['sub'], { scenario: 'sub', pubs: 0, subs: 1, topic: 'bench' }],
  [['conn'], { scenario: 'conn', clients: 1000, window: 100, warmupSeconds: 0 }],
  [['pipe'], { scenario: 'pipe', pubs: 1, subs: 1, window: 1000 }],
  [['fanout'], { scenario: 'fanout', pubs: 1, subs: 1000, window: 20 }],
  [['fanin', '--subs', '2'], { scenario: 'fanin', pubs: 500, subs: 2, window: 1 }],
  [['p2p', '--pubs', '7'], { scenario: 'p2p', pubs: 7, subs: 7 }],
  [['retained'], { scenario: 'retained', pubs: 0, subs: 1, topics: 10_000 }],
  [['pipe', 'mqtt://me:secret@host:99'], { way: { url: 'mqtt://host:99' }, username: 'me', password: 'secret' }],
  [['pipe', 'host'], { way: { url: 'mqtt://host:1883' } }],
  [['pipe', 'wss://host/x'], { way: { url: 'wss://host:443/x' } }],
  [['pipe', '--unix', '/run/a.sock'], { way: { url: 'unix:///run/a.sock' } }],
  [['pipe', 'host', '--tls-alpn', 'mqtt'], { way: { url: 'mqtts://host:8883', tls: { alpn: 'mqtt' } } }],
  [['pipe', '--rate', '0.5', '-V', '5'], { rate: 0.5, window: 65_535, version: 5 }],
  [['pipe', '--rate', '10', '--window', '3'], { rate: 10, window: 3 }],
  [['pipe', '--size', '16KiB', '--clean', '0', '--qos', '2'], { size: 16_384, clean: false, qos: 2 }],
  [['pipe', '--count', '10'], { count: 10, warmupSeconds: 0 }],
])('%o', (args, expected) => {
  expect(benchSettings(args, new TestTerminal())).toMatchObject({ settings: { ...defaults, ...expected } })
})

test.each([
  [[], "missing required argument 'scenario'"],
  [['pope'], "scenario is 'pope'; it takes pub, sub, conn, pipe, fanout, fanin, p2p, retained"],
  [['pipe', 'http://host'], "url is 'http://host'; there is no way to speak MQTT over http"],
  [['pipe', '--size', '4'], "--size is '4'; it takes 16 bytes or more"],
  [['pipe', '--rate', '0'], "--rate is '0'; it takes a number above 0"],
  [['pipe', '--window', '65536'], "--window is '65536'; it takes a whole number from 1 to 65535"],
  [['pipe', '--pubs', '2', '--subs', '3'], 'pipe has a subscriber for each publisher; give --pubs and --subs the same'],
  [['pub', '--subs', '2'], '--subs does not go with pub; leave it out'],
  [['pipe', '--clients', '2'], '--clients does not go with pipe; leave it out'],
  [['fanin', '--topics', '2'], '--topics does not go with fanin; leave it out'],
  [['conn', '--count', '2'], '--count does not go with conn; leave it out'],
  [['retained', '--rate', '2'], '--rate does not go with retained; leave it out'],
])('%o is refused in one line, with exit code 1', async (args, problem) => {
  const terminal = new TestTerminal()
  expect(await terminal.run('bench', ...args)).toBe(1)
  expect(terminal.errors).toContain(`godwit bench: ${problem}`)
  expect(terminal.errors.indexOf('\n')).toBe(terminal.errors.length - 1)
})
