import { allChecks, type Check, CheckFailure, type Dialogue, runCheck, runChecks } from '@godwit/conformance'
import { describe, expect, it } from 'vitest'
import { fakeServer, polite, type Script } from './fake-server.js'

const checkOf = (id: string, ...dialogues: readonly Dialogue[]): Check => ({
  id,
  version: '3.1.1',
  section: '3.1.2',
  text: '',
  cases: dialogues.map((run, i) => ({ name: `case ${i + 1}`, run })),
})

const passes: Dialogue = async (t) => void (await t.connect())
const skips: Dialogue = async (t) => t.skip('the server has none')
const fails: Dialogue = async (t) => {
  const c = await t.connect()
  await c.expectClosed()
}

describe('running checks', () => {
  it('passes when no case fails', async () => {
    expect(await runCheck(fakeServer(polite), checkOf('a', passes, skips))).toMatchObject({
      outcome: 'pass',
      detail: '',
    })
  })

  it('fails when one case does, says which, and what was said in it', async () => {
    const result = await runCheck(fakeServer(polite), checkOf('a', passes, skips, fails))
    expect(result).toMatchObject({
      outcome: 'fail',
      detail: 'case 3: expected the connection to be closed; it stayed open',
    })
    expect(result.transcript.join('\n')).toContain('gets CONNACK, reasonCode 0x00 (Success) [20 02 00 00]')
  })

  it('skips when every case does, with the reason', async () => {
    const result = await runCheck(fakeServer(polite), checkOf('a', skips))
    expect(result).toMatchObject({ outcome: 'skip', detail: 'case 1: the server has none' })
  })

  it('fails, and does not throw, when the server cannot be reached', async () => {
    const nobody = { ...fakeServer(polite), open: () => Promise.reject(new Error('connection refused')) }
    const result = await runCheck(nobody, checkOf('a', passes))
    expect(result).toMatchObject({
      outcome: 'fail',
      detail: 'case 1: could not be carried out: Error: connection refused',
    })
  })

  it('runs only what is asked for, by id or by section', async () => {
    const idsOf = async (...only: string[]): Promise<string[]> => {
      const results = await runChecks(
        fakeServer(() => {}),
        [checkOf('a'), { ...checkOf('b'), section: '3.10' }],
        { only },
      )
      return results.map(({ id }) => id)
    }
    expect(await idsOf('a')).toEqual(['a'])
    expect(await idsOf('3.1')).toEqual(['a'])
    expect(await idsOf('3')).toEqual(['a', 'b'])
  })

  it('gives results in the order of the checks, however many run at once', async () => {
    const checks = ['a', 'b', 'c', 'd'].map((id) => checkOf(id, passes))
    const results = await runChecks(fakeServer(polite), checks, { jobs: 3 })
    expect(results.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('leaves no session and no retained message', async () => {
    const server = fakeServer(polite)
    const leaves: Dialogue = async (t) => {
      const c = await t.connect({ cleanStart: false, clientId: t.clientId('s') })
      await c.publish(t.topic('a'), 'x', { qos: 1, retain: true })
      throw new CheckFailure('this', 'that')
    }
    await runCheck(server, checkOf('a', leaves))
    const connects = server.heard.flatMap((packet) => (packet.type === 'connect' ? [packet] : []))
    expect(connects[1]).toMatchObject({ clientId: connects[0]?.clientId, cleanStart: true })
    const publishes = server.heard.flatMap((packet) => (packet.type === 'publish' ? [packet] : []))
    expect(publishes[1]).toMatchObject({ topic: publishes[0]?.topic, retain: true })
    expect(publishes[1]?.payload).toHaveLength(0)
  })
})

/** Servers with one fault, and the statement whose check finds it. */
const faults: readonly (readonly [fault: string, id: string, script: Script])[] = [
  [
    'a session is present after Clean Session 1',
    'MQTT-3.2.2-1',
    (packet, line) =>
      packet.type === 'connect'
        ? line.send({ type: 'connack', sessionPresent: true, reasonCode: 0 })
        : polite(packet, line),
  ],
  [
    'PUBACK for another identifier',
    'MQTT-2.3.1-6',
    (packet, line) =>
      packet.type === 'publish' && packet.qos === 1
        ? line.send({ type: 'puback', packetId: (packet.packetId ?? 0) ^ 1 })
        : polite(packet, line),
  ],
  [
    'one SUBACK code, however many filters',
    'MQTT-3.8.4-5',
    (packet, line) =>
      packet.type === 'subscribe'
        ? line.send({ type: 'suback', packetId: packet.packetId, reasonCodes: [0] })
        : polite(packet, line),
  ],
  ['a second CONNECT is welcome', 'MQTT-3.1.0-2', polite],
  ['nothing is ever delivered', 'MQTT-4.5.0-1', polite],
  ['PINGREQ is not answered', 'MQTT-3.12.4-1', (packet, line) => packet.type !== 'pingreq' && polite(packet, line)],
  ['Keep Alive means nothing', 'MQTT-3.1.2-24', polite],
]

describe('a check finds the fault:', () => {
  it.each(faults)('%s (%s)', async (_, id, script) => {
    const [result] = await runChecks(fakeServer(script), allChecks, { only: [id] })
    expect(result).toMatchObject({ id, outcome: 'fail' })
    expect(result?.detail).not.toContain('could not be carried out')
  })

  it.each(['MQTT-3.12.4-1', 'MQTT-3.8.4-5', 'MQTT-3.10.4-5', 'MQTT-3.3.4-1', 'MQTT-4.6.0-2', 'MQTT-4.6.0-3'])(
    'none in %s, of a server that keeps it',
    async (id) => {
      const [result] = await runChecks(fakeServer(polite), allChecks, { only: [id] })
      expect(result).toMatchObject({ id, outcome: 'pass', detail: '' })
    },
  )
})
