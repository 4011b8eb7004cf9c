import { type Packet, type ReceivedPublish, reason } from '@godwit/protocol'
import { noCommit } from '../commit.js'
import { MqttError } from '../errors.js'
import { onAuth } from '../handlers/auth.js'
import type { Answer, Context } from '../handlers/context.js'
import { onDisconnect } from '../handlers/disconnect.js'
import { onPuback } from '../handlers/puback.js'
import { onPubcomp } from '../handlers/pubcomp.js'
import { onPublish } from '../handlers/publish.js'
import { onPubrec } from '../handlers/pubrec.js'
import { onPubrel } from '../handlers/pubrel.js'
import { onSubscribe } from '../handlers/subscribe.js'
import { onUnsubscribe } from '../handlers/unsubscribe.js'

const pingresp = { packet: { type: 'pingresp' }, commit: noCommit } as const

/** Until CONNACK there is only the extended authentication, or the client gives up [MQTT-3.1.2-30]. */
export function dispatchAuthenticating(c: Context, p: Packet): Answer {
  if (c.services.tracing.isOn) c.services.tracing.received(c, p)
  if (p.type === 'auth') return onAuth(c, p)
  if (p.type === 'disconnect') return void c.leave()
  throw new MqttError(reason.protocolError, `${p.type} before the authentication is over`)
}

/** Every later packet, to the handler of its name. */
export function dispatch(c: Context, p: Packet): Answer {
  if (c.services.tracing.isOn && p.type !== 'publish') c.services.tracing.received(c, p) // PUBLISH when its topic is known
  switch (p.type) {
    case 'publish':
      return onPublish(c, p as ReceivedPublish)
    case 'puback':
      return onPuback(c, p)
    case 'pubrec':
      return onPubrec(c, p)
    case 'pubrel':
      return onPubrel(c, p)
    case 'pubcomp':
      return onPubcomp(c, p)
    case 'subscribe':
      return onSubscribe(c, p)
    case 'unsubscribe':
      return onUnsubscribe(c, p)
    case 'pingreq':
      return pingresp // [MQTT-3.12.4-1]
    case 'disconnect':
      return onDisconnect(c, p)
    case 'auth':
      return onAuth(c, p)
    case 'connect': // a second one [MQTT-3.1.0-2]
    case 'connack':
    case 'suback':
    case 'unsuback':
    case 'pingresp':
      throw new MqttError(reason.protocolError, `${p.type} is not for a client to send here`)
    default:
      return p satisfies never
  }
}
