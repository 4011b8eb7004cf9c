// A connection on a bare socket, for loads that are about what the broker does, and not about a client.
import { once } from 'node:events'
import { connect } from 'node:net'
import { Decoder, encode } from '@godwit/protocol'

/** @typedef {import('@godwit/protocol').Packet} Packet */

/**
 * @typedef {object} PeerOptions
 * @property {string} clientId
 * @property {4 | 5} [version] Default 4.
 * @property {boolean} [clean] Default true.
 * @property {boolean} [acknowledges] Default true.
 * @property {Partial<import('@godwit/protocol').Connect>} [more] What else is in its CONNECT.
 * @property {(packet: Packet) => void} [onPacket] Told each packet that comes.
 */

/** Says CONNECT at once; what it is sent is at QoS 0 or 1. */
export class Peer {
  /** @param {number} port @param {PeerOptions} options */
  constructor(port, { clientId, version = 4, clean = true, acknowledges = true, more = {}, onPacket = () => {} }) {
    this.version = version
    /** @type {(packet: Packet) => void} */
    this.onPacket = onPacket
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.closed = new Promise((resolve) => this.socket.on('close', resolve))
    this.socket.on('error', () => {}) // whoever waits is told by `closed`
    const decoder = new Decoder({ version })
    this.socket.on('data', (chunk) => {
      decoder.push(chunk)
      const answers = []
      for (let packet = decoder.next(); packet; packet = decoder.next()) {
        if (acknowledges && packet.type === 'publish' && packet.packetId !== undefined)
          answers.push(encode({ type: 'puback', packetId: packet.packetId }, version))
        this.onPacket(packet)
      }
      if (answers.length > 0) this.socket.write(Buffer.concat(answers))
    })
    this.send({ type: 'connect', version, clientId, cleanStart: clean, keepAliveSeconds: 0, ...more })
  }

  /**
   * False: the socket takes no more for now, see {@link Peer.drained}.
   * @param {Packet} packet
   */
  send(packet) {
    return this.socket.write(encode(packet, this.version))
  }

  /** Resolves when the socket takes more, or is closed. */
  async drained() {
    const stop = new AbortController()
    await Promise.race([once(this.socket, 'drain', { signal: stop.signal }).catch(() => {}), this.closed])
    stop.abort()
  }

  /** Resolves with the next packet of a type; others are passed over. @param {Packet['type']} type @returns {Promise<Packet>} */
  next(type) {
    return new Promise((resolve) => {
      this.onPacket = (packet) => packet.type === type && resolve(packet)
    })
  }

  /** @param {string[]} filters @param {0 | 1} qos */
  subscribe(filters, qos) {
    return this.send({ type: 'subscribe', packetId: 1, subscriptions: filters.map((filter) => ({ filter, qos })) })
  }

  /** In order. */
  end() {
    this.send({ type: 'disconnect' })
    this.socket.end()
    return this.closed
  }
}
