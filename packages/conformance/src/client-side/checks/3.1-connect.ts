import { inWords } from '../../describe.js'
import { CheckFailure, CheckSkipped } from '../../failure.js'
import { type ClientCheck, clientChecks } from '../client-check.js'
import { type ConnectParts, connectFlag, connectParts } from '../connect-parts.js'
import type { ClientTrial } from '../play.js'
import { answering, connecting } from '../plays.js'
import { heardFreely, heardOf, isText } from './evidence.js'

const { will, willQos, willRetain, username, password } = connectFlag

/** Session Present 1 for a client that has no session. */
const unknownSession = answering('idle', { sessionPresent: true, reasonCode: 0 })
/** The CONNECT is refused: Not authorized. */
export const refusing = answering('idle', { sessionPresent: false, reasonCode: 0x87 })

/** Holds for each CONNECT with these flag bits set or clear; skipped when there is none. */
function expectConnect(
  expected: string,
  { bits = 0, areSet = true }: { readonly bits?: number; readonly areSet?: boolean },
  holds: (parts: ConnectParts) => boolean,
) {
  return async (t: ClientTrial): Promise<void> => {
    const all = (await heardOf(t, 'connect', 1)).map((heard) => ({ heard, parts: connectParts(heard.bytes) }))
    const asked = all.filter(({ parts }) => ((parts.flags & bits) === bits) === areSet)
    if (asked.length === 0) throw new CheckSkipped(`no CONNECT of the client is one to judge: ${expected}`)
    const wrong = asked.find(({ parts }) => !holds(parts))
    if (wrong) throw new CheckFailure(expected, `came ${inWords(wrong.heard)}`)
  }
}

const off = { areSet: false }
const isWhole = ({ missing, surplus }: ConnectParts): boolean => missing === undefined && surplus === 0

export const connectChecks: readonly ClientCheck[] = [
  ...clientChecks({ v4: '3.1.0-1', v5: '3.1.0-1' }, async (t) => {
    const { heard } = await t.see(connecting)
    const [first, ...more] = heard.map(({ bytes }) => bytes[0]! >> 4)
    if (first === undefined) throw new CheckFailure('CONNECT', 'nothing came')
    if (first !== 1) throw new CheckFailure('CONNECT before anything else', `came ${inWords(heard[0]!)}`)
    if (more.includes(1)) throw new CheckFailure('one CONNECT', `came another: ${inWords(heard[more.indexOf(1) + 1]!)}`)
  }),
  ...clientChecks(
    { v4: '3.1.2-9', v5: '3.1.2-9' },
    expectConnect('all fields of the will, as Will Flag 1 says', { bits: will }, isWhole),
  ),
  ...clientChecks(
    { v4: ['3.1.2-11', '3.1.2-13'], v5: '3.1.2-11' },
    expectConnect('Will QoS 0, as Will Flag is 0', { bits: will, ...off }, ({ flags }) => (flags & willQos) === 0),
  ),
  ...clientChecks(
    { v4: '3.1.2-15', v5: '3.1.2-13' },
    expectConnect(
      'Will Retain 0, as Will Flag is 0',
      { bits: will, ...off },
      ({ flags }) => (flags & willRetain) === 0,
    ),
  ),
  ...clientChecks(
    { v4: '3.1.2-14', v5: '3.1.2-12' },
    expectConnect('a Will QoS below 3', { bits: will }, ({ flags }) => (flags & willQos) !== willQos),
  ),
  ...clientChecks(
    { v4: '3.1.2-18', v5: '3.1.2-16' },
    expectConnect('no user name, as its flag is 0', { bits: username, ...off }, isWhole),
  ),
  ...clientChecks(
    { v4: '3.1.2-19', v5: '3.1.2-17' },
    expectConnect('a user name, as its flag is 1', { bits: username }, isWhole),
  ),
  ...clientChecks(
    { v4: '3.1.2-20', v5: '3.1.2-18' },
    expectConnect('no password, as its flag is 0', { bits: password, ...off }, isWhole),
  ),
  ...clientChecks(
    { v4: '3.1.2-21', v5: '3.1.2-19' },
    expectConnect('a password, as its flag is 1', { bits: password }, isWhole),
  ),
  ...clientChecks(
    { v4: '3.1.2-22' },
    expectConnect('no password without a user name', { bits: username, ...off }, ({ flags }) => !(flags & password)),
  ),
  ...clientChecks(
    { v4: ['3.1.3-1', '3.1.3-3'], v5: ['3.1.3-1', '3.1.3-3'] },
    expectConnect('the fields that the flags announce, from the client id on, and nothing more', {}, isWhole),
  ),
  ...clientChecks(
    { v4: '3.1.3-4', v5: '3.1.3-4' },
    expectConnect('a client id that is UTF-8', {}, ({ clientId }) => isText(clientId)),
  ),
  ...clientChecks(
    { v4: '3.1.3-7' },
    expectConnect('a client id, as Clean Session is 0', { bits: 2, ...off }, ({ clientId }) => clientId.length > 0),
  ),
  ...clientChecks(
    { v4: '3.1.3-10', v5: '3.1.3-11' },
    expectConnect('a will topic that is UTF-8', { bits: will }, ({ willTopic }) => isText(willTopic)),
  ),
  ...clientChecks(
    { v4: '3.1.3-11', v5: '3.1.3-12' },
    expectConnect('a user name that is UTF-8', { bits: username }, (parts) => isText(parts.username)),
  ),
  ...clientChecks({ v5: '3.2.2-4' }, async (t) => (await t.see(unknownSession)).expectClosed(0)),
  ...clientChecks({ v5: '4.13.2-1' }, async (t) => (await t.see(refusing)).expectClosed(0)),
  ...clientChecks({ v5: '4.12.0-7' }, async (t) => {
    const auth = (await heardFreely(t)).find(({ bytes }) => bytes[0]! >> 4 === 15)
    if (auth) throw new CheckFailure('no AUTH', `came ${inWords(auth)}`)
  }),
  ...clientChecks({ v4: '3.14.4-2', v5: '3.14.4-1' }, async (t) => {
    const { heard } = await t.see(connecting)
    const at = heard.findIndex(({ bytes }) => bytes[0]! >> 4 === 14)
    if (at < 0) throw new CheckSkipped('the client sent no DISCONNECT')
    const after = heard[at + 1]
    if (after) throw new CheckFailure('nothing after DISCONNECT', `came ${inWords(after)}`)
  }),
  ...clientChecks({ v4: '3.14.4-1', v5: '3.14.4-2' }, async (t) => {
    const connection = await t.see(connecting)
    if (connection.packets('disconnect').length === 0) throw new CheckSkipped('the client sent no DISCONNECT')
    await connection.expectClosed(0)
  }),
]
