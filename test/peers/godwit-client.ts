import { connect } from '@godwit/client'
import type { Responder } from './peer.js'
import { expirySeconds, type Peer, type PeerVersion, type Received, type Requester, userProperties } from './peer.js'

const urlOf = (port: number): string => `mqtt://127.0.0.1:${port}`

/** Our own client, in this process. */
export function godwitClient(version: PeerVersion): Peer {
  const options = { version, fallback: false }
  return {
    name: 'godwit client',
    missing: undefined,
    async subscribe({ port, filter, qos, count, session, onMessage }) {
      const kept = session === undefined ? {} : { clientId: session, clean: false, sessionExpirySeconds: 600 }
      const client = await connect(urlOf(port), { ...options, ...kept })
      const subscription = await client.subscribe(filter, { qos })
      const received: Received[] = []
      const take = async (): Promise<void> => {
        for await (const message of subscription) {
          const { userProperties = [], messageExpiryInterval } = message.properties ?? {}
          const pairs = userProperties.map(([name, value]) => `${name}:${value}`)
          const one = { topic: message.topic, payload: message.text(), expiry: messageExpiryInterval }
          received.push({ ...one, userProperties: pairs.join(' ') })
          onMessage?.(received.at(-1) as Received)
          if (received.length === count) break
        }
        await client.close()
      }
      return { received, ended: count === 0 ? client.close() : take(), stop: () => client.close() }
    },
    async publish({ port, topic, qos, payloads }) {
      const client = await connect(urlOf(port), options)
      const properties = { messageExpiryInterval: expirySeconds, userProperties }
      await Promise.all(payloads.map((payload) => client.publish(topic, payload, { qos, properties })))
      await client.close()
    },
  }
}

export const godwitRequester: Requester = {
  name: 'godwit client',
  missing: undefined,
  async request(port, topic, payload) {
    const client = await connect(urlOf(port))
    const response = await client.request(topic, payload)
    await client.close()
    return response.text()
  },
}

export const godwitResponder: Responder = {
  name: 'godwit client',
  missing: undefined,
  async respond(port, topic) {
    const client = await connect(urlOf(port))
    await client.respond(topic, (message) => `re:${message.text()}`)
    return { stop: () => client.close() }
  },
}
