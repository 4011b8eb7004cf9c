import { describe, expect, it } from 'vitest'
import { Exposition, Histogram, prometheusText } from '../src/index.js'
import { startRig } from './rig.js'
import { SteppedStore } from './stepped-store.js'

describe('what Prometheus reads', () => {
  it('is text: a head a metric, a line a series', () => {
    const took = new Histogram([0.1, 1])
    for (const seconds of [0.05, 0.1, 0.5, 7]) took.observe(seconds)
    const text = new Exposition()
      .counter('a_total', 'How many.', [
        [{ qos: '0' }, 1],
        [{ qos: '1' }, 2],
      ])
      .gauge('b', 'How much.', 0.5)
      .histogram('took_seconds', 'How long.', took)
    expect(String(text)).toBe(`# HELP a_total How many.
# TYPE a_total counter
a_total{qos="0"} 1
a_total{qos="1"} 2
# HELP b How much.
# TYPE b gauge
b 0.5
# HELP took_seconds How long.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 2
took_seconds_bucket{le="1"} 3
took_seconds_bucket{le="+Inf"} 4
took_seconds_sum 7.65
took_seconds_count 4
`)
  })

  /** The lines of a broker's metrics that begin so. */
  const lines = (text: string, start: string): string[] => text.split('\n').filter((line) => line.startsWith(start))

  it('counts messages and payloads by QoS, both ways', async () => {
    const rig = await startRig()
    const client = await rig.connect('c')
    client.subscribe('a', 1).publish('a', 'x').publish('a', 'yy', 1, 2).publish('a', 'zzz', 2, 3)
    await client.heard()
    const text = await prometheusText(rig.broker)
    expect(lines(text, 'godwit_messages_')).toEqual([
      ...['received_total{qos="0"} 1', 'received_total{qos="1"} 1', 'received_total{qos="2"} 1'].map(named),
      ...['sent_total{qos="0"} 1', 'sent_total{qos="1"} 2', 'sent_total{qos="2"} 0'].map(named),
      ...lines(text, 'godwit_messages_dropped_total'),
    ])
    expect(lines(text, 'godwit_payload_')).toEqual([
      ...[1, 2, 3].map((bytes, qos) => `godwit_payload_received_bytes_total{qos="${qos}"} ${bytes}`),
      ...[1, 5, 0].map((bytes, qos) => `godwit_payload_sent_bytes_total{qos="${qos}"} ${bytes}`),
    ])
  })
  const named = (line: string): string => `godwit_messages_${line}`

  it('shows what there is: clients, sessions, subscriptions, queues', async () => {
    const rig = await startRig()
    const away = await rig.connect('away', rig.durable)
    away.subscribe('a', 1).subscribe('$share/g/b', 1, 2).disconnect()
    await away.heard()
    const client = await rig.connect('c')
    client.publish('a', 'xy', 1, 1).publish('b', 'xyz', 1, 2)
    await client.heard()
    const text = await prometheusText(rig.broker)
    for (const line of [
      'godwit_clients_connected 1',
      'godwit_clients_accepted_total 2',
      'godwit_sessions 2',
      'godwit_subscriptions 2',
      'godwit_queued_messages 2',
      'godwit_queued_bytes 207', // topics and payloads, and 100 for each entry
      'godwit_store_failing 0',
    ])
      expect(text.split('\n')).toContain(line)
    const back = await rig.connect('away', { cleanStart: true })
    await back.heard()
    expect(lines(await prometheusText(rig.broker), 'godwit_queued')).toEqual([
      'godwit_queued_messages 0',
      'godwit_queued_bytes 0',
    ])
    expect(lines(await prometheusText(rig.broker), 'godwit_subscriptions ')).toEqual(['godwit_subscriptions 0'])
  })

  it('has as many series whatever clients do', async () => {
    const rig = await startRig()
    const names = async (): Promise<string[]> =>
      (await prometheusText(rig.broker)).replace(/ [\d.e+-]+$/gm, '').split('\n')
    const before = await names()
    for (let n = 0; n < 20; n++) {
      const client = await rig.connect(`c${n}`, { username: `u${n}` })
      client.subscribe(`t/${n}`, 1).publish(`t/${n}`, 'x', 1, 1)
      await client.heard()
    }
    expect(await names()).toEqual(before)
  })
})

describe('readiness', () => {
  it('is there when the store takes a commit', async () => {
    const rig = await startRig()
    expect(await rig.broker.readiness()).toEqual({ ready: true, reasons: [] })
  })

  it('is gone when it takes none for a second', async () => {
    const store = new SteppedStore()
    const rig = await startRig({ store })
    const asked = rig.broker.readiness()
    await rig.pass(1_000)
    expect(await asked).toEqual({ ready: false, reasons: ['the store has not taken a commit for 1000 ms'] })
    const again = rig.broker.readiness()
    store.flush()
    expect(await again).toEqual({ ready: true, reasons: [] })
  })
})
