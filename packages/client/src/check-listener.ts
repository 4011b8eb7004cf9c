import type { ClientEvents } from './client.js'
import { invalidOption } from './errors.js'
import { mqttJsEvents } from './mqtt-js-names.js'
import { noSuch } from './option-checks.js'
import { kindOf } from './value-kind.js'

const events: { readonly [E in keyof ClientEvents]: true } = {
  state: true,
  connect: true,
  disconnect: true,
  unclaimed: true,
  unanswered: true,
  unpublished: true,
  unsubscribed: true,
  recovered: true,
  close: true,
}

/**
 * What on() was given, as it may come from plain JavaScript.
 * @throws InvalidArgumentError 'invalid-option'.
 */
export function checkListener(event: string, listener: unknown): void {
  const names = Object.keys(events)
  if (!names.includes(event)) {
    const problem = noSuch('event', String(event), '', names, mqttJsEvents)
    throw invalidOption(`on: ${problem}${/[:?]/.test(problem) ? '' : `: there are ${names.join(', ')}`}`)
  }
  if (typeof listener !== 'function')
    throw invalidOption(`on('${event}'): the listener is ${kindOf(listener)}, not a function`)
}
