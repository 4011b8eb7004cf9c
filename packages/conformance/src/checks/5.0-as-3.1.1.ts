import { type Check, check50, type Dialogue } from '../check.js'
import { keepAliveSeconds } from './3.1.2-keep-alive.js'
import { allChecks } from './all-checks.js'
import { type Needs, needing } from './v5/offer.js'

/**
 * Statements of 5.0, those of 3.1.1 whose dialogues prove them too, said and heard in the packets of 5.0, and what these
 * take for granted: a server of 5.0 may say that it does not offer it.
 */
const pairs: readonly (readonly [id50: string, id311: string, needs?: Needs])[] = [
  ['1.5.4-3', '1.5.3-3', { qos: 1, wildcards: true }],
  ['2.2.1-2', '2.3.1-5', { qos: 2 }],
  ['2.2.1-4', '2.3.1-4'],
  ['2.2.1-5', '2.3.1-6', { qos: 2 }],
  ['2.2.1-6', '2.3.1-7'],
  ['3.1.0-2', '3.1.0-2'],
  ['3.1.2-4', '3.1.2-6', { qos: 1, sessions: true }],
  ['3.1.2-5', '3.1.2-4', { qos: 1, sessions: true }],
  ['3.1.2-10', '3.1.2-10', { qos: 1, sessions: true }],
  ['3.1.2-14', '3.1.2-16', { qos: 1 }],
  ['3.1.2-15', '3.1.2-17', { qos: 1, retain: true }],
  ['3.1.2-22', '3.1.2-24', { qos: 1, keepAliveSeconds }],
  ['3.1.2-23', '3.1.2-5', { qos: 2, wildcards: true, sessions: true }],
  ['3.1.3-2', '3.1.3-2', { qos: 1, sessions: true }],
  ['3.1.3-5', '3.1.3-5'],
  ['3.1.4-4', '3.1.4-3', { qos: 1, sessions: true }],
  ['3.2.0-1', '3.2.0-1', { qos: 1, sessions: true }],
  ['3.3.1-1', '3.3.1-1', { sessions: true }],
  ['3.3.1-2', '3.3.1-2', { qos: 1 }],
  ['3.3.1-3', '3.3.1-3', { qos: 2 }],
  ['3.3.1-5', '3.3.1-5', { qos: 2, retain: true }],
  ['3.3.1-6', '3.3.1-10', { qos: 1, retain: true }],
  ['3.3.1-7', '3.3.1-11', { qos: 2, retain: true, wildcards: true }],
  ['3.3.1-8', '3.3.1-12', { qos: 1, retain: true }],
  ['3.3.1-9', '3.3.1-6', { qos: 1, retain: true, wildcards: true }],
  ['3.3.1-12', '3.3.1-9', { qos: 1, retain: true }],
  ['3.3.2-3', '3.3.2-3', { wildcards: true }],
  ['3.3.4-2', '3.3.5-1', { qos: 2, wildcards: true }],
  ['3.8.4-1', '3.8.4-1'],
  ['3.8.4-2', '3.8.4-2'],
  ['3.8.4-3', '3.8.4-3', { qos: 1, retain: true, wildcards: true }],
  ['3.8.4-5', '3.8.4-4', { qos: 1, wildcards: true }],
  ['3.8.4-6', '3.8.4-5'],
  ['3.9.3-1', '3.9.3-1'],
  ['3.10.4-1', '3.10.4-1', { qos: 1, wildcards: true }],
  ['3.10.4-2', '3.10.4-2', { qos: 2, wildcards: true }],
  ['3.10.4-3', '3.10.4-3', { qos: 1, sessions: true }],
  ['3.10.4-6', '3.10.4-6', { qos: 1 }],
  ['3.14.4-3', '3.14.4-3', { qos: 1, retain: true }],
  ['4.3.1-1', '4.3.1-1'],
  ['4.4.0-1', '4.4.0-1', { qos: 2, sessions: true }],
  ['4.5.0-1', '4.5.0-1', { qos: 1, wildcards: true, sessions: true }],
  ['4.6.0-1', '4.6.0-1', { qos: 2, sessions: true }],
  ['4.6.0-2', '4.6.0-2', { qos: 1, inFlight: 8 }],
  ['4.6.0-3', '4.6.0-3', { qos: 2, inFlight: 8 }],
  ['4.6.0-4', '4.6.0-4'],
  ['4.6.0-5', '4.6.0-6', { wildcards: true, inFlight: 15 }],
  ['4.6.0-6', '4.6.0-5', { qos: 1, inFlight: 45 }],
  ['4.7.2-1', '4.7.2-1', { wildcards: true }],
  ['4.7.3-4', '4.7.3-4', { qos: 1 }],
]

export const sameAs311Checks: readonly Check[] = pairs.map(([id50, id311, needs = {}]) =>
  check50(`MQTT-${id50}`, dialoguesOf(id311, needs)),
)

/** The dialogues of a check of 3.1.1, by name, for servers of 5.0 that offer all they need. */
export function dialoguesOf(id311: string, needs: Needs): Readonly<Record<string, Dialogue>> {
  const found = allChecks.find(({ id }) => id === `MQTT-${id311}`)
  if (!found) throw new Error(`no check of MQTT-${id311}`)
  return Object.fromEntries(found.cases.map(({ name, run }) => [name, needing(needs, run)]))
}

/** The one dialogue of a check of 3.1.1 that has no more, or the one of this name. */
export function dialogueOf(id311: string, needs: Needs, name = ''): Dialogue {
  const found = dialoguesOf(id311, needs)[name]
  if (!found) throw new Error(`no case "${name}" in the check of MQTT-${id311}`)
  return found
}
