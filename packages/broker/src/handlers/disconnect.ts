import type { Disconnect } from '@godwit/protocol'
import type { Context } from './context.js'

/** DISCONNECT (section 3.14): the client leaves in order, and its will is dropped unpublished [MQTT-3.14.4-3]. */
export function onDisconnect(c: Context, _p: Disconnect): undefined {
  c.will = undefined
  c.end('disconnected by the client')
}
