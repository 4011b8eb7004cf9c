// What a broker waits for when it closes.
import { once } from 'node:events'
import { connect } from 'node:net'
import { encode } from '@godwit/protocol'
import { expect, it } from 'vitest'
import { createBroker, memoryStore } from '../src/index.js'
import { connectPacket } from './test-client.js'

it('its store is closed while a client that has been told takes its time to close its side', async () => {
  const store = memoryStore()
  const close = store.close.bind(store)
  let isOpenThere: boolean | undefined
  const client = { isClosed: false }
  const closed = new Promise<void>((resolve) => {
    store.close = async () => {
      isOpenThere = !client.isClosed
      await close()
      resolve()
    }
  })
  const broker = await createBroker({ store, sysIntervalSeconds: 0 })
  const { port } = await broker.listen({ port: 0 })
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.once('close', () => {
    client.isClosed = true
  })
  socket.on('data', () => {})
  const ended = once(socket, 'end')
  socket.write(encode(connectPacket('slow', { version: 5 }), 5))
  await once(socket, 'data')
  const closing = broker.close()
  await closed
  expect(isOpenThere).toBe(true)
  await ended // it has been told
  socket.end()
  await closing
})
