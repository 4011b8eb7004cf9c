// Encoding and decoding against npm mqtt-packet, in alternating rounds; prints medians and their ratio.
//   npm install --prefix packages/protocol/bench --workspaces=false && npm run bench:codec
import mqttPacket from 'mqtt-packet'
import { Decoder, encode, encodeInto, Writer } from '../dist/index.js'

const rounds = Number(process.argv[2] ?? 15)
const batch = 500 // about what one read of a busy socket brings
const roundMs = 60

const payload = new Uint8Array(64).fill(0x61)
const topic = 'plant/line-4/press/temperature'
const publish = (qos) => ({
  type: 'publish',
  topic,
  payload,
  qos,
  retain: false,
  dup: false,
  ...(qos > 0 && { packetId: 77 }),
})
const puback = { type: 'puback', packetId: 77 }

/** The same packet as mqtt-packet names its fields. */
const theirs = (packet) =>
  packet.type === 'publish'
    ? { ...packet, cmd: 'publish', payload: Buffer.from(packet.payload), messageId: packet.packetId }
    : { cmd: packet.type, messageId: packet.packetId }

/** A chunk of `batch` packets, as a busy socket gives them. */
function chunkOf(packet, version) {
  const one = encode(packet, version)
  const chunk = Buffer.alloc(one.length * batch)
  for (let n = 0; n < batch; n++) chunk.set(one, n * one.length)
  return chunk
}

let seen = 0

function ourDecode(chunk, version) {
  const decoder = new Decoder({ version })
  return () => {
    decoder.push(chunk)
    for (let packet = decoder.next(); packet; packet = decoder.next()) {
      seen += packet.type === 'publish' ? packet.payload.length : packet.packetId
    }
  }
}

function theirDecode(chunk, version) {
  const parser = mqttPacket.parser({ protocolVersion: version })
  parser.on('packet', (packet) => {
    seen += packet.cmd === 'publish' ? packet.payload.length : packet.messageId
  })
  parser.on('error', (error) => {
    throw error
  })
  return () => parser.parse(chunk)
}

const ourEncode = (packet, version) => {
  const writer = new Writer(262_144)
  return () => {
    writer.reset()
    for (let n = 0; n < batch; n++) encodeInto(writer, packet, version)
    seen += writer.position
  }
}

/** mqtt-packet writes to a stream; this one only counts. */
function theirEncode(packet, version) {
  const options = { protocolVersion: version }
  const sink = {
    write(data) {
      seen += data.length
      return true
    },
    cork() {},
    uncork() {},
    destroy(error) {
      throw error
    },
  }
  const named = theirs(packet)
  return () => {
    for (let n = 0; n < batch; n++) mqttPacket.writeToStream(named, sink, options)
  }
}

/** Nanoseconds a packet, over `roundMs` of work. */
function time(run) {
  const start = process.hrtime.bigint()
  const end = start + BigInt(roundMs) * 1_000_000n
  let turns = 0
  let now = start
  while (now < end) {
    run()
    turns++
    now = process.hrtime.bigint()
  }
  return Number(now - start) / (turns * batch)
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

const cases = [4, 5].flatMap((version) =>
  [
    ['PUBLISH QoS 0, 64 B', publish(0)],
    ['PUBLISH QoS 1, 64 B', publish(1)],
    ['PUBACK', puback],
  ].flatMap(([name, packet]) => {
    const chunk = chunkOf(packet, version)
    return [
      [`decode ${name}`, version, ourDecode(chunk, version), theirDecode(chunk, version)],
      [`encode ${name}`, version, ourEncode(packet, version), theirEncode(packet, version)],
    ]
  }),
)

console.log(`node ${process.version}; ns a packet, medians of ${rounds} alternating rounds of ${roundMs} ms`)
console.log('version  packet                          godwit  mqtt-packet  ratio')
const found = cases.map(() => [[], []])
for (let round = -2; round < rounds; round++) {
  // Two rounds of everything before counting, so that no case is measured in code specialised to it alone.
  for (const [at, [, , ours, others]] of cases.entries()) {
    const pair = round % 2 === 0 ? [time(ours), time(others)] : [time(others), time(ours)].reverse()
    if (round >= 0) for (const side of [0, 1]) found[at][side].push(pair[side])
  }
}
for (const [at, [name, version]] of cases.entries()) {
  const [ours, others] = found[at].map(median)
  const row = [name.padEnd(30), ours.toFixed(0).padStart(7), others.toFixed(0).padStart(12)]
  console.log(`${version}        ${row.join(' ')}  ${(others / ours).toFixed(1).padStart(5)}`)
}
if (seen === 0) throw new Error('nothing was read or written')
