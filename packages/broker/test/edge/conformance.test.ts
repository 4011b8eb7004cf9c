import { setImmediate as nextTurn } from 'node:timers/promises'
import { allChecks, allChecks50, type Check, hostileChecks, hostileChecks50, runCheck } from '@godwit/conformance'
import { describe, expect, it } from 'vitest'
import { Edge } from '../../src/edge/edge.js'
import { checkEdgeOptions } from '../../src/edge/edge-options.js'
import { type Broker, createBroker } from '../../src/index.js'
import { MemoryTarget, VirtualClock } from '../../src/testing/index.js'
import { MemoryDial } from './memory-dial.js'

/** Turns of the event loop after which all that was written has gone there, been handled, and come back. */
const turnsToSettle = 24

/** A broker whose clients come by an edge. */
class EdgeTarget extends MemoryTarget {
  constructor(broker: Broker, edge: Edge, clock: VirtualClock) {
    super(Object.assign(Object.create(broker) as Broker, { handle: edge.handle.bind(edge) }), clock)
  }

  override async settled(): Promise<void> {
    for (let turn = 0; turn < turnsToSettle; turn++) await nextTurn()
  }
}

/** A pair in memory is never half open, so who ends its side is gone before there is a connection to pass it on. */
const overTcp = 'hostile/half-close'

// Each check plays through an edge to a broker of its own, in its memory and its time: nothing sleeps.
function play(checks: readonly Check[]): void {
  for (const check of checks) {
    it(`${check.id} ${check.text}`, async ({ skip }) => {
      if (check.id === overTcp) skip('plays over TCP, in bytes.test.ts')
      const clock = new VirtualClock()
      const broker = await createBroker({ clock })
      const edge = new Edge(checkEdgeOptions({ clock }), new MemoryDial(broker))
      edge.setOwner({ host: 'node', port: 1, claim: '1' })
      const { outcome, detail, transcript } = await runCheck(new EdgeTarget(broker, edge, clock), check)
      await edge.close()
      await broker.close()
      if (outcome === 'skip') skip(detail)
      expect(outcome, [detail, ...transcript.slice(-40)].join('\n')).toBe('pass')
    })
  }
}

describe('statements of 3.1.1', () => play(allChecks))

describe('statements of 5.0', () => play(allChecks50))

describe('hostile input', () => play(hostileChecks))

describe('hostile input at 5.0', () => play(hostileChecks50))
