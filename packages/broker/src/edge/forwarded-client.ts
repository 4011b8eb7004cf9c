import { type Connect, Decoder, encode, type Packet, type ProtocolVersion, reason } from '@godwit/protocol'
import type { BackOff } from '../access/back-off.js'
import type { Ground } from '../basics.js'
import type { Arrived } from '../connection/arrival.js'
import { type Door, refusedAtDoor } from '../connection/door.js'
import { farewell } from '../connection/farewell.js'
import { isUneventful, type Probation, tooMuchWaits } from '../connection/probation.js'
import { type Refusal, refuse } from '../handlers/admission.js'
import { whenReady } from '../maybe-async.js'
import type { WheelTimer } from '../time/timer-wheel.js'
import { nodeHeader } from '../transport/node-header.js'
import type { Peer, Transport, TransportEvents } from '../transport/transport.js'
import type { Caller, Dialer, OwnerNode } from './dialer.js'
import { OneWay } from './one-way.js'

/** What all clients of an edge are made with. */
export interface ForwardParts extends Ground {
  readonly door: Door
  readonly dialer: Dialer
  readonly backOff: BackOff | undefined
  readonly holdMs: number
  /** What takes clients while this node serves; `bytes` are what one has said already. */
  readonly here: { serve: ((transport: Transport, bytes?: Uint8Array) => void) | undefined }
  /** All of them, from their CONNECT on. */
  readonly forwarded: Set<ForwardedClient>
}

/** Bytes behind CONNECT that are taken before there is a connection to pass them on. */
const mostAhead = 65_536

const closedByClient = 'connection closed by the client'
const noOwner: Refusal = {
  reasonCode: reason.serverUnavailable,
  why: 'no node of the cluster serves now; try again later',
  counts: 'unavailable',
}
const backedOff: Refusal = {
  reasonCode: reason.serverUnavailable,
  why: 'too many wrong credentials from this address; try again later',
  counts: 'unavailable',
}
const untellable: Refusal = {
  reasonCode: reason.unspecifiedError,
  why: 'its certificate has more names than one node tells another of',
}
/** Those by which a broker says that it does not know a client, or not as the one that it wants to be. */
const notKnown: readonly number[] = [reason.badUserNameOrPassword, reason.notAuthorized, reason.banned]

/**
 * One client of an edge from its CONNECT to its close: it waits for a node that serves, and then its bytes go there and back as they
 * are. What the one side ends, in order or not, ends so at the other.
 */
export class ForwardedClient implements Arrived, Caller {
  readonly clientId: string
  readonly peer: Peer
  readonly #transport: Transport
  readonly #parts: ForwardParts
  readonly #probation: Probation
  readonly #kept: KeptBytes
  readonly #connect: Pick<Connect, 'version' | 'clientId' | 'username'> & { readonly shown: Uint8Array | undefined }
  readonly #wantsReasons: boolean
  #patience: WheelTimer | undefined
  #isOver = false
  /** It waits for the node that serves, or a connection to it. */
  #isWaiting = false
  #owner: OwnerNode | undefined
  #node: Transport | undefined
  #toNode: OneWay | undefined
  #toClient: OneWay | undefined
  /** Until it is in. */
  #welcome: WelcomeWatch | undefined
  #hasEnded = { client: false, node: false }

  /** @param kept all that has come of it. */
  constructor(transport: Transport, connect: Connect, probation: Probation, kept: KeptBytes, parts: ForwardParts) {
    this.#transport = transport
    this.#parts = parts
    this.#probation = probation
    this.#kept = kept
    this.peer = transport.peer
    const { version, clientId, username, password, properties } = connect
    this.clientId = clientId
    const shown = password ?? properties?.authenticationData
    this.#connect = { version, clientId, username, shown: shown && Uint8Array.from(shown) }
    this.#wantsReasons = properties?.requestProblemInformation ?? true
    this.#welcome = new WelcomeWatch(version)
    parts.forwarded.add(this)
  }

  begin(): void {
    const { door, backOff } = this.#parts
    const { address } = this.peer
    const answer = whenReady(door.knock(address), (refusal) => {
      if (this.#isOver) return
      if (refusal) this.#refuse(refusedAtDoor(refusal))
      else if (backOff?.mustWait(address)) this.#refuse(backedOff)
      else this.#wait()
    })
    if (answer instanceof Promise)
      answer.catch((error: unknown) => this.#parts.faults.contain(error, this, 'its CONNECT'))
  }

  // ---- before there is a node

  #wait(): void {
    const { wheel, holdMs, metrics, dialer, here } = this.#parts
    if (here.serve) return this.#handTo(here.serve) // since it came
    this.#isWaiting = true
    metrics.forward.waiting++
    this.#patience = wheel.after(holdMs, () => this.#refuse(noOwner), this)
    dialer.ask(this)
  }

  #stopWaiting(): void {
    if (!this.#isWaiting) return
    this.#isWaiting = false
    this.#patience?.cancel()
    this.#parts.metrics.forward.waiting--
    this.#parts.dialer.withdraw(this)
  }

  opened(node: Transport, owner: OwnerNode): void {
    const { metrics, log } = this.#parts
    const header = nodeHeader(this.peer)
    this.#stopWaiting()
    if (!header) {
      node.destroy()
      return this.#refuse(untellable)
    }
    metrics.forward.clients++
    this.#owner = owner
    this.#node = node
    this.#toNode = new OneWay(this.#transport, node, metrics.forward)
    this.#toClient = new OneWay(node, this.#transport, metrics.forward)
    node.start(this.#events)
    this.#toNode.carry(Buffer.concat([header, this.#kept.all]))
    if (this.#kept.length > mostAhead) this.#transport.resume()
    if (this.#hasEnded.client) node.endSending()
    const fields = { clientId: this.clientId, address: this.peer.address, node: `${owner.host}:${owner.port}` }
    log.log('debug', 'client passed on', fields)
  }

  /** This node serves from now on: if it waits, this node has it, with all that has come. */
  handOver(): void {
    const { serve } = this.#parts.here
    if (serve && this.#isWaiting) this.#handTo(serve)
  }

  #handTo(serve: NonNullable<ForwardParts['here']['serve']>): void {
    if (this.#hasEnded.client) return this.end(closedByClient)
    this.#leave()
    serve(this.#transport, this.#kept.all)
    if (this.#kept.length > mostAhead) this.#transport.resume()
  }

  /** The node that has it, by the claim. */
  get claim(): string | undefined {
    return this.#owner?.claim
  }

  // ---- what the client's side tells

  onData(chunk: Uint8Array): void {
    if (this.#isOver) return
    this.#parts.metrics.bytesReceived += chunk.length
    if (this.#toNode) return this.#toNode.carry(chunk)
    this.#kept.add(chunk)
    if (!this.#probation.charge(this.#kept.length)) return this.end(tooMuchWaits, reason.quotaExceeded)
    if (this.#kept.length > mostAhead) this.#transport.pause()
  }

  /** A WebSocket message that is not whole. */
  onPartial(bytes: number): void {
    if (this.#isOver || !this.#welcome || this.#probation.charge(this.#kept.length + bytes)) return
    this.#letGo(tooMuchWaits)
    this.#transport.destroy()
  }

  /** While nobody serves it has given up; else it may still wait for answers to what it said before. */
  onEnd(): void {
    this.#hasEnded.client = true
    if (this.#node) this.#node.endSending()
    else if (!this.#parts.dialer.hasOwner) this.end(closedByClient)
  }

  onClose(error?: Error): void {
    this.#letGo(error ? `connection failed: ${error.message}` : closedByClient, error)
  }

  // ---- what the node's side tells

  readonly #events: TransportEvents = {
    onData: (chunk) => {
      const code = this.#welcome?.see(chunk)
      if (code !== undefined) this.#welcomed(code)
      this.#parts.metrics.bytesSent += chunk.length
      this.#toClient!.carry(chunk)
    },
    onPartial: () => {},
    onEnd: () => {
      this.#hasEnded.node = true
      this.#transport.endSending()
    },
    onClose: (error) => {
      const isReset = error !== undefined || !this.#hasEnded.node
      this.#node = undefined
      this.#letGo(error ? `connection to its node failed: ${error.message}` : 'connection closed by its node')
      if (isReset) this.#transport.reset()
      else this.#transport.end()
    },
  }

  /** CONNACK has come. */
  #welcomed(reasonCode: number): void {
    this.#welcome = undefined
    this.#probation.pass()
    if (!notKnown.includes(reasonCode)) return
    const { username, shown } = this.#connect
    this.#parts.backOff?.failed(this.peer.address, username, shown)
  }

  // ---- endings

  /** A refusing CONNACK, of this edge's. */
  #refuse(refusal: Refusal): void {
    if (this.#isOver) return
    const { version, clientId } = this.#connect
    const from = { services: this.#parts, peer: this.peer, version, wantsReasons: this.#wantsReasons }
    this.#say(refuse(from, refusal, clientId).packet)
    this.#letGo('connection refused')
    this.#transport.end()
  }

  /** Ends in order. To who is in nothing can be said: the bytes are the node's. */
  end(why: string, reasonCode?: number): void {
    if (this.#isOver) return
    // It was all its time that it has waited.
    if (this.#isWaiting && reasonCode === reason.unspecifiedError) return this.#refuse(noOwner)
    if (this.#welcome && reasonCode !== undefined && this.#connect.version === 5) {
      const parting = { reasonCode, why: this.#wantsReasons ? why : undefined, serverReference: undefined }
      this.#say(farewell(parting, false))
    }
    this.#letGo(why)
    this.#transport.end()
  }

  onFault(): void {
    this.end('internal error', reason.unspecifiedError)
  }

  #say(packet: Packet): void {
    const bytes = encode(packet, this.#connect.version)
    const { metrics } = this.#parts
    metrics.packetsSent++
    metrics.bytesSent += bytes.length
    this.#transport.write([bytes], () => {})
  }

  #letGo(why: string, error?: Error): void {
    if (this.#isOver) return
    const { log, metrics } = this.#parts
    this.#leave()
    if (this.#owner) metrics.forward.clients--
    if (this.#hasEnded.client && !error) this.#node?.end()
    else this.#node?.reset()
    const level = this.#welcome && !isUneventful(why, error) ? 'info' : 'debug' // of who is in its node tells
    log.log(level, 'client gone', { clientId: this.clientId, address: this.peer.address, reason: why })
  }

  /** It takes no place here any more. */
  #leave(): void {
    this.#isOver = true
    this.#stopWaiting()
    this.#probation.fail()
    this.#parts.forwarded.delete(this)
    this.#parts.door.leave(this.peer.address)
  }
}

const first = 256

/** What has come in pieces, in one piece. */
export class KeptBytes {
  #room = new Uint8Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  add(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length
    if (needed > this.#room.length) {
      const larger = new Uint8Array(Math.max(first, needed, Math.min(2 * this.#room.length, needed + 65_536)))
      larger.set(this.all)
      this.#room = larger
    }
    this.#room.set(chunk, this.#length)
    this.#length = needed
  }

  get all(): Uint8Array {
    return this.#room.subarray(0, this.#length)
  }
}

/** More than any CONNACK or AUTH has. */
const mostBytes = 262_144

/** Looks at what a node sends to a client until that is in: the bytes go on as they are. */
class WelcomeWatch {
  readonly #decoder: Decoder

  constructor(version: ProtocolVersion) {
    this.#decoder = new Decoder({ version, maxPacketBytes: mostBytes, allowControlCharacters: true })
  }

  /** The reason code of CONNACK, in the terms of 5.0; `undefined`: it is not there yet. What cannot be read is for the client to judge. */
  see(chunk: Uint8Array): number | undefined {
    try {
      this.#decoder.push(chunk)
      for (let packet = this.#decoder.next(); packet; packet = this.#decoder.next()) {
        if (packet.type === 'connack') return packet.reasonCode
      }
      return undefined
    } catch {
      return 0
    }
  }
}
