import { CheckFailure, CheckSkipped } from '../../failure.js'
import { type ClientCheck, clientChecks } from '../client-check.js'
import type { Connection } from '../connection.js'
import type { ClientTrial } from '../play.js'
import { receiving } from '../plays.js'
import { expectIds, ids } from './evidence.js'

type Acknowledgement = 'puback' | 'pubrec' | 'pubcomp'

const isSeen =
  (judge: (connection: Connection) => void) =>
  async (t: ClientTrial): Promise<void> =>
    judge(await t.see(receiving))

/** The play sends QoS 1 as 11, 12, 13, QoS 2 as 21, 22, the latter's 21 twice; then PUBREL 21, 22; then 11 and 21 anew. */
const sent: Readonly<Record<Acknowledgement, readonly number[]>> = {
  puback: [11, 12, 13, 11],
  pubrec: [21, 22, 21, 21],
  pubcomp: [21, 22],
}

function expectAcknowledged(type: Acknowledgement, from: number, to: number) {
  return isSeen((connection) => {
    const came = ids(connection.packets(type)).slice(from, to)
    expectIds(type.toUpperCase(), came, sent[type].slice(from, to))
  })
}

/** PUBACK, PUBREC and PUBCOMP of 5.0 have reason codes of their own; the decoder takes no others. */
function expectReadable(type: Acknowledgement, typeNumber: number) {
  return isSeen((connection) => {
    const all = connection.heard.filter(({ bytes }) => bytes[0]! >> 4 === typeNumber)
    if (all.length === 0) throw new CheckSkipped(`the client sent no ${type.toUpperCase()}`)
    const wrong = all.find(({ problem }) => problem !== undefined)
    if (wrong) throw new CheckFailure(`${type.toUpperCase()} with a reason code of its own`, `came ${wrong.problem}`)
  })
}

export const receivingChecks: readonly ClientCheck[] = [
  ...clientChecks({ v4: ['3.3.4-1', '4.5.0-2'], v5: ['3.3.4-1', '4.5.0-2'] }, async (t) => {
    await expectAcknowledged('puback', 0, 3)(t)
    await expectAcknowledged('pubrec', 0, 2)(t)
  }),
  ...clientChecks({ v5: '4.3.2-4' }, expectAcknowledged('puback', 0, 3)),
  ...clientChecks({ v4: '4.6.0-2', v5: '4.6.0-2' }, expectAcknowledged('puback', 0, 3)),
  ...clientChecks({ v4: '4.6.0-3', v5: '4.6.0-3' }, expectAcknowledged('pubrec', 0, 2)),
  ...clientChecks({ v4: '4.3.2-2', v5: '4.3.2-5' }, expectAcknowledged('puback', 0, 4)),
  ...clientChecks({ v5: '4.3.3-8' }, expectAcknowledged('pubrec', 0, 2)),
  ...clientChecks({ v5: '4.3.3-10' }, expectAcknowledged('pubrec', 0, 3)),
  ...clientChecks({ v5: '4.3.3-11' }, expectAcknowledged('pubcomp', 0, 2)),
  ...clientChecks({ v5: '4.3.3-12' }, expectAcknowledged('pubrec', 0, 4)),
  ...clientChecks({ v4: '4.3.3-2' }, async (t) => {
    await expectAcknowledged('pubrec', 0, 4)(t)
    await expectAcknowledged('pubcomp', 0, 2)(t)
  }),
  ...clientChecks({ v5: '3.4.2-1' }, expectReadable('puback', 4)),
  ...clientChecks({ v5: '3.5.2-1' }, expectReadable('pubrec', 5)),
  ...clientChecks({ v5: '3.7.2-1' }, expectReadable('pubcomp', 7)),
]
