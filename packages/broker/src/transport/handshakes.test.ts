import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Drops } from '../drops.js'
import { Metrics } from '../metrics.js'
import { Handshakes } from './handshakes.js'

function setUp(most: number) {
  const metrics = new Metrics()
  const lines: string[] = []
  const log = {
    log: (_: string, text: string, fields?: object) => void lines.push(`${text} ${JSON.stringify(fields)}`),
  }
  const handshakes = new Handshakes({ timeoutMs: 10_000, most }, new Drops(metrics, log, () => {}))
  return {
    metrics,
    lines,
    handshakes,
    /** How many of so many connections may begin. */
    begin: (count: number, address: string) =>
      Array.from({ length: count }, () => new Socket()).filter((socket) => handshakes.begin(socket, address, false)),
    /** The same of those that a proxy makes. */
    beginFor: (count: number, address: string) =>
      Array.from({ length: count }, () => new Socket()).filter(
        (socket) => handshakes.begin(socket, '10.0.0.1', true) && handshakes.identified(socket, address, 50),
      ),
  }
}

describe('handshakes', () => {
  it('are bounded in number; one address has half of them, of IPv6 its /64', () => {
    const { begin, metrics } = setUp(10)
    expect(begin(9, '192.0.2.1')).toHaveLength(5)
    expect(begin(1, '2001:db8::1')).toHaveLength(1)
    expect(begin(9, '2001:db8::2')).toHaveLength(4)
    expect(begin(1, '198.51.100.1')).toHaveLength(0)
    expect(metrics.handshakesRefused['too-many']).toBe(10)
  })

  it('of this machine and of a proxy are no one address', () => {
    const { begin, beginFor } = setUp(10)
    expect([...begin(5, '127.0.0.1'), ...beginFor(5, '127.0.0.1')]).toHaveLength(10)
  })

  it('of a proxy count for its client, once that is known', () => {
    const { beginFor, lines } = setUp(10)
    expect(beginFor(9, '192.0.2.1')).toHaveLength(5)
    expect(beginFor(9, '192.0.2.2')).toHaveLength(5)
    expect(lines[0]).toContain('"address":"192.0.2.1"')
  })

  it('that are done or gone make room', async () => {
    const { begin, handshakes } = setUp(4)
    const [done, gone] = begin(2, '192.0.2.1')
    expect(begin(1, '192.0.2.1')).toHaveLength(0)
    handshakes.done(done!)
    handshakes.done(done!)
    expect(begin(2, '192.0.2.1')).toHaveLength(1)
    await new Promise((closed) => void gone!.once('close', closed).destroy())
    expect(begin(2, '192.0.2.1')).toHaveLength(1)
  })

  it('that are refused are told in one line, however many they are', () => {
    const { begin, lines } = setUp(1)
    begin(1_000, '192.0.2.1')
    expect(lines).toEqual([
      'connection refused before MQTT {"address":"192.0.2.1","reason":"too-many","why":"too many others are at their handshake"}',
    ])
  })
})
