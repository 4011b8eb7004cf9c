// What the log tells of clients: who, from where, why. Never what they say.
import { describe, expect, it } from 'vitest'
import { startRig } from './rig.js'

describe.each([4, 5] as const)('the log, version %i', (version) => {
  it('tells who comes and why they go', async () => {
    const rig = await startRig({}, version)
    const client = await rig.connect('ann')
    client.disconnect()
    await client.ended()
    const second = await rig.connect('bob')
    await rig.connect('bob')
    await second.ended()
    expect(rig.log).toEqual([
      'info client connected {"clientId":"ann","address":"test"}',
      'info client gone {"clientId":"ann","address":"test","reason":"disconnected by the client"}',
      'info client connected {"clientId":"bob","address":"test"}',
      'info client gone {"clientId":"bob","address":"test","reason":"taken over by a new connection of the same client"}',
      'info client connected {"clientId":"bob","address":"test"}',
    ])
  })

  it('tells of a refused client once, and of those that follow together', async () => {
    const rig = await startRig({ hooks: [{ authenticate: () => false }] }, version)
    for (const id of ['ann', 'bob', 'cid']) await rig.greet(id, { username: 'x', password: 'sesame' }).ended()
    await rig.pass(10_000)
    const shown = rig.log.filter((line) => !line.startsWith('debug'))
    expect(shown).toEqual([
      'warn connection refused {"clientId":"ann","address":"test","reason":"not-authorized","why":"not authorized to connect"}',
      'warn 2 more connections refused {"reason":"not-authorized"}',
    ])
    expect(rig.log).toContain('debug client gone {"address":"test","reason":"connection refused"}')
    expect(rig.log.join()).not.toContain('sesame')
  })

  it('tells of a refused subscription, with its filter, once a client', async () => {
    const rig = await startRig({ hooks: [{ authorize: ({ topic }) => topic !== 'secret/#' }] }, version)
    const client = await rig.connect('ann')
    client.subscribe('secret/#').subscribe('open').subscribe('$share/g/secret/#')
    await client.heard()
    await rig.pass(10_000)
    expect(rig.log.slice(1)).toEqual([
      'warn subscription refused {"clientId":"ann","address":"test","reason":"not-authorized","filter":"secret/#"}',
      'warn 1 more subscriptions refused {"clientId":"ann","reason":"not-authorized"}',
    ])
  })

  it('tells of a refused message, from where it came', async () => {
    const rig = await startRig({ hooks: [{ authorize: ({ topic }) => topic !== 'secret' }] }, version)
    const client = await rig.connect('ann')
    client.publish('secret', 'sesame', 1, 1)
    await client.heard()
    expect(rig.log.slice(1)).toEqual([
      'warn message dropped {"clientId":"ann","address":"test","reason":"not-authorized","topic":"secret"}',
    ])
  })

  it('tells what was wrong with a connection that never was a client, and nothing of one that only looked', async () => {
    const rig = await startRig({}, version)
    await rig.open().sendHex('47 45 54 20 2f').ended()
    rig.open().end()
    await rig.pass(0)
    expect(rig.log).toEqual([
      expect.stringMatching(/^info client gone {"address":"test","reason":".+"}$/),
      'debug client gone {"address":"test","reason":"connection closed by the client"}',
    ])
  })
})
