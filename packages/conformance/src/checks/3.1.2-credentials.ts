import { type Check, check } from '../check.js'
import { flag, refuses } from './violations.js'

/** Flags and payload that do not agree. */
export const credentialChecks: readonly Check[] = [
  check('MQTT-3.1.2-18', { 'a user name without its flag': refuses(0, 'name') }),
  check('MQTT-3.1.2-19', { 'the flag without a user name': refuses(flag.userName) }),
  check('MQTT-3.1.2-20', { 'a password without its flag': refuses(flag.userName, 'name', 'secret') }),
  check('MQTT-3.1.2-21', { 'the flag without a password': refuses(flag.userName | flag.password, 'name') }),
  check('MQTT-3.1.2-22', { 'a password and no user name': refuses(flag.password, 'secret') }),
]
