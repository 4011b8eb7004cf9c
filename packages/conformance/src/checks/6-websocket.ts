import { type Check, skipped } from '../check.js'

const reason = 'needs a WebSocket target'

export const websocketChecks: readonly Check[] = [
  skipped('MQTT-6.0.0-1', reason),
  skipped('MQTT-6.0.0-2', reason),
  skipped('MQTT-6.0.0-4', reason),
]
