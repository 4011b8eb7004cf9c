// Connections that are made, greeted and ended, 50 at a time, and what one of them costs the broker. Over TLS each is a whole
// handshake, or with --resume goes on with the session of one before. The first ones warm the broker up and do not count.
//
//   npm run build && node bench/handshakes.mjs --port N --pid PID [--over tls|wss|ws] [--ca FILE] [--resume] [--tls 1.2] [--count 2000]
import { readFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { connect, createSecureContext } from 'node:tls'
import { parseArgs } from 'node:util'
import { encode } from '@godwit/protocol'
import { usageOf } from '../packages/cli/dist/bench/broker-process.js'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8883' },
    pid: { type: 'string', default: '' },
    over: { type: 'string', default: 'tls' },
    ca: { type: 'string' },
    resume: { type: 'boolean', default: false },
    tls: { type: 'string', default: '1.3' },
    count: { type: 'string', default: '2000' },
    warmup: { type: 'string', default: '4000' },
  },
})
const [port = 0, pid = 0, count = 0, warmup = 0] = [values.port, values.pid, values.count, values.warmup].map(Number)
const together = 50

const version = /** @type {import('node:tls').SecureVersion} */ (`TLSv${values.tls}`)
const authority = values.ca === undefined ? {} : { ca: readFileSync(values.ca) }
const secureContext = createSecureContext({ ...authority, minVersion: version, maxVersion: version })

const upgrade = [
  ...['GET /mqtt HTTP/1.1', 'Host: localhost', 'Upgrade: websocket', 'Connection: Upgrade'],
  ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Protocol: mqtt'],
]
const greetings = values.over === 'tls' ? [] : [Buffer.from(`${upgrade.join('\r\n')}\r\n\r\n`)]
/** A binary frame masked with zeros. @param {Uint8Array} bytes fewer than 126 */
const frame = (bytes) => Buffer.from([0x82, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes])
/** @param {import('@godwit/protocol').Packet} packet */
const written = (packet) => (values.over === 'tls' ? encode(packet, 4) : frame(encode(packet, 4)))
const farewell = written({ type: 'disconnect' })

let resumed = 0

/**
 * One connection, from its first byte to its end.
 * @param {string} clientId
 * @param {Buffer | undefined} session to go on with
 * @returns {Promise<Buffer | undefined>} the session that the next one may go on with
 */
function visit(clientId, session) {
  const lines = [
    ...greetings,
    written({ type: 'connect', version: 4, clientId, cleanStart: true, keepAliveSeconds: 60 }),
  ]
  return new Promise((resolve, reject) => {
    /** @type {Buffer | undefined} */
    let next
    const socket = dial(session)
    socket.on('session', (/** @type {Buffer} */ given) => {
      next = given
    })
    // Whoever has said DISCONNECT may be reset: aedes leaves unread what follows it.
    socket.on('error', (error) => socket.writableEnded || reject(error))
    socket.on(values.over === 'ws' ? 'connect' : 'secureConnect', () => socket.write(lines.shift() ?? farewell))
    socket.on('data', () => {
      const line = lines.shift()
      if (line) socket.write(line)
      else socket.end(farewell)
    })
    socket.on('close', () => resolve(next ?? session))
    if ('isSessionReused' in socket) socket.once('secureConnect', () => socket.isSessionReused() && resumed++)
  })
}

/** @param {Buffer | undefined} session */
function dial(session) {
  if (values.over === 'ws') return connectPlain({ port, host: '127.0.0.1', noDelay: true })
  return connect({ port, host: '127.0.0.1', secureContext, ...(session && { session }) })
}

/**
 * So many, each lane one after the other: in a lane everybody goes on with the session of the one before.
 * @param {number} many
 */
async function visits(many) {
  let begun = 0
  const lane = async (/** @type {unknown} */ _, /** @type {number} */ at) => {
    while (begun++ < many) {
      const session = await visit(`hand${at}`, values.resume ? sessions[at] : undefined)
      sessions[at] = session
    }
  }
  await Promise.all(Array.from({ length: together }, lane))
}

/** The last one of each lane. @type {(Buffer | undefined)[]} */
const sessions = []
await visits(warmup)
resumed = 0
const before = usageOf(pid).cpuMicros
await visits(count)
const cpu = usageOf(pid).cpuMicros - before
if (values.resume && resumed < count * 0.95) throw new Error(`only ${resumed} of ${count} went on with a session`)
if (!values.resume && resumed > 0) throw new Error(`${resumed} went on with a session`)
console.log(JSON.stringify({ cpu_us_per_connect: cpu / count }))
