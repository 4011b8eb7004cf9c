import { allChecks, allChecks50, type Check } from '@godwit/conformance'
import type { Mutation } from './mutation.js'
import { mutations311 } from './mutations-3.1.1.js'
import { mutations50 } from './mutations-5.0.js'
import { type SameRule, sameRule50, sameRule311 } from './same-rule.js'

/** The checks of one version, and a fault for each that can be run. */
export interface Suite {
  readonly version: Check['version']
  readonly checks: readonly Check[]
  readonly mutations: readonly Mutation[]
  readonly sameRule: readonly SameRule[]
}

export const suites: readonly Suite[] = [
  { version: '3.1.1', checks: withoutWebSocket(allChecks), mutations: mutations311, sameRule: sameRule311 },
  { version: '5.0', checks: withoutWebSocket(allChecks50), mutations: mutations50, sameRule: sameRule50 },
]

/** Those about WebSocket have faults of their own, in `websocket.test.ts`. */
function withoutWebSocket(checks: readonly Check[]): readonly Check[] {
  return checks.filter(({ id }) => !id.startsWith('MQTT-6.'))
}
