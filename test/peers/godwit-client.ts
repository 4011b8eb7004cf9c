import { connect } from '@godwit/client'
import type { Peer, Received } from './peer.js'

const urlOf = (port: number): string => `mqtt://127.0.0.1:${port}`

/** Our own client, in this process. */
export const godwitClient: Peer = {
  name: 'godwit client',
  missing: undefined,
  async subscribe(port, filter, qos, count) {
    const client = await connect(urlOf(port))
    const subscription = await client.subscribe(filter, { qos })
    const received: Received[] = []
    const take = async (): Promise<void> => {
      for await (const message of subscription) {
        received.push({ topic: message.topic, payload: message.text() })
        if (received.length === count) break
      }
      await client.close()
    }
    return { received, ended: take(), stop: () => client.close() }
  },
  async publish(port, topic, qos, payloads) {
    const client = await connect(urlOf(port))
    await Promise.all(payloads.map((payload) => client.publish(topic, payload, { qos })))
    await client.close()
  },
}
