import { expect, test } from 'vitest'
import { VirtualClock } from '../test/virtual-clock.js'
import { Outbox } from './outbox.js'
import type { Outgoing } from './state/outgoing.js'

test('a publication that cannot be written leaves nothing behind: the next packet is whole', async () => {
  const written: string[] = []
  const outbox = new Outbox(5, new VirtualClock(), {
    write: (bytes) => written.push(Buffer.from(bytes).toString('hex')) > 0,
    commit: () => undefined,
    writable: () => {},
    failed: () => {},
  })
  const message = { qos: 0, retain: false, packetId: 0, payload: BigInt64Array.of(1n) }
  expect(() => outbox.publish(message as unknown as Outgoing, false, 'a', undefined)).toThrow()
  expect(() => outbox.send({ type: 'pubrel', packetId: 0 })).toThrow()
  outbox.send({ type: 'pingreq' })
  await Promise.resolve()
  expect(written).toEqual(['c000'])
})
