// Loaded before a broker: what it dials at a port that BENCH_GATES names (PORT:GATE,PORT:GATE) goes to the gate before it.
import { Socket } from 'node:net'

const pairs = (process.env.BENCH_GATES ?? '').split(',').filter((pair) => pair !== '')
/** @type {ReadonlyMap<unknown, number>} */
const gates = new Map(
  pairs.map((pair) => {
    const [port = 0, gate = 0] = pair.split(':').map(Number)
    return [port, gate]
  }),
)
const real = /** @type {(this: Socket, ...args: unknown[]) => Socket} */ (Socket.prototype.connect)

/** @this {Socket} @param {unknown[]} args */
function connect(...args) {
  const [options, ...rest] = /** @type {[{ port?: number }, ...unknown[]]} */ (args)
  const gate = gates.get(options?.port)
  return real.call(this, ...(gate === undefined ? args : [{ ...options, port: gate }, ...rest]))
}

if (gates.size > 0) Socket.prototype.connect = /** @type {typeof Socket.prototype.connect} */ (connect)
