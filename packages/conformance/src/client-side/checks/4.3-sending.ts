import type { PacketOf } from '@godwit/protocol'
import { inWords } from '../../describe.js'
import { CheckFailure, CheckSkipped } from '../../failure.js'
import { type ClientCheck, clientChecks } from '../client-check.js'
import type { Connection } from '../connection.js'
import type { ClientTrial, Play } from '../play.js'
import {
  cutAfterRefusal,
  cutBeforePuback,
  cutBeforePubcomp,
  cutBeforePubrec,
  publishingQos1,
  publishingQos2,
  type Resumed,
} from '../plays.js'
import { expectIds, ids, publishes } from './evidence.js'

/** What is sent for the first time has DUP 0, and an identifier that is free. */
function expectFresh(packets: readonly PacketOf<'publish'>[]): void {
  const dup = packets.find((one) => one.dup)
  if (dup) throw new CheckFailure('DUP 0 on what is sent for the first time', `DUP 1 came with ${dup.packetId}`)
}

/** Each identifier once: none is acknowledged in these plays before the connection is lost. */
function expectFree({ before }: Resumed, qos: 1 | 2): void {
  const all = ids(publishes(before, qos))
  const twice = all.find((id, at) => all.indexOf(id) !== at)
  if (twice !== undefined) throw new CheckFailure('identifiers that are free', `${twice} came twice, unacknowledged`)
}

/** Everything unacknowledged comes again: same identifiers, same order, before anything new. */
function expectRepeated({ before, after }: Resumed, qos: 1 | 2): void {
  const wanted = ids(publishes(before, qos))
  const came = ids(publishes(after, qos)).filter((id, at, all) => wanted.includes(id) && all.indexOf(id) === at)
  expectIds('each unacknowledged PUBLISH again, in its order,', came, wanted)
}

function expectDup({ before, after }: Resumed, qos: 1 | 2): void {
  const wanted = ids(publishes(before, qos))
  const repeated = wanted.map((id) => publishes(after, qos).find(({ packetId }) => packetId === id))
  const wrong = repeated.find((one) => one && !one.dup)
  if (wrong) throw new CheckFailure('DUP 1 on what is sent again', `DUP 0 came with ${wrong.packetId}`)
  if (!repeated.some(Boolean)) throw new CheckSkipped('the client sent nothing again')
}

/** PUBREL for each PUBREC, once PUBREC has come. */
function expectReleased(connection: Connection): void {
  expectIds('PUBREL', ids(connection.packets('pubrel')), ids(publishes(connection, 2)))
}

function expectReleasedAgain({ before, after }: Resumed): void {
  const wanted = ids(before.packets('pubrel'))
  const came = ids(after.packets('pubrel')).filter((id) => wanted.includes(id))
  expectIds('each unanswered PUBREL again, in its order,', came, wanted)
}

function expectNoPublishAfterPubrel({ before, after }: Resumed): void {
  const released = ids(before.packets('pubrel'))
  const repeated = after.heard.find(
    ({ packet }) => packet?.type === 'publish' && packet.dup && released.includes(packet.packetId ?? 0),
  )
  if (repeated) throw new CheckFailure('no PUBLISH again after its PUBREL', `came ${inWords(repeated)}`)
}

/** One judgement of what came of a play. */
function of<T>(play: Play<T>, ...judgements: readonly ((seen: T) => void)[]) {
  return async (t: ClientTrial): Promise<void> => {
    const seen = await t.see(play)
    for (const judge of judgements) judge(seen)
  }
}

const fresh = (qos: 1 | 2) => (connection: Connection) => expectFresh(publishes(connection, qos))

export const sendingChecks: readonly ClientCheck[] = [
  ...clientChecks({ v4: '2.3.1-2', v5: '2.2.1-3' }, async (t) => {
    await of(cutBeforePuback, (seen) => expectFree(seen, 1))(t)
  }),
  ...clientChecks({ v4: '4.3.2-1', v5: '4.3.2-2' }, of(publishingQos1, fresh(1))),
  ...clientChecks(
    { v5: '4.3.2-1' },
    of(cutBeforePuback, (seen) => expectFree(seen, 1)),
  ),
  ...clientChecks(
    { v5: '4.3.3-1' },
    of(cutBeforePubrec, (seen) => expectFree(seen, 2)),
  ),
  ...clientChecks({ v5: '4.3.3-2' }, of(publishingQos2, fresh(2))),
  ...clientChecks(
    { v4: '2.3.1-3', v5: '4.3.2-3' },
    of(cutBeforePuback, (seen) => expectRepeated(seen, 1)),
  ),
  ...clientChecks(
    { v4: '3.3.1-1', v5: '3.3.1-1' },
    of(cutBeforePuback, (seen) => expectDup(seen, 1)),
  ),
  ...clientChecks({ v4: '4.4.0-1', v5: '4.4.0-1' }, async (t) => {
    await of(cutBeforePubrec, (seen) => expectRepeated(seen, 2))(t)
    await of(cutBeforePubcomp, expectReleasedAgain)(t)
  }),
  ...clientChecks(
    { v4: '4.6.0-1', v5: '4.6.0-1' },
    of(cutBeforePuback, (seen) => expectRepeated(seen, 1)),
  ),
  ...clientChecks({ v4: '4.6.0-4', v5: '4.6.0-4' }, of(publishingQos2, expectReleased)),
  ...clientChecks({ v4: '2.3.1-6', v5: '2.2.1-5' }, of(publishingQos2, expectReleased)),
  ...clientChecks({ v4: '4.3.3-1' }, async (t) => {
    await of(publishingQos2, fresh(2), expectReleased)(t)
    await of(cutBeforePubcomp, expectNoPublishAfterPubrel)(t)
  }),
  ...clientChecks(
    { v5: '4.3.3-3' },
    of(cutBeforePubrec, (seen) => expectRepeated(seen, 2)),
  ),
  ...clientChecks({ v5: '4.3.3-4' }, of(publishingQos2, expectReleased)),
  ...clientChecks({ v5: '4.3.3-5' }, of(cutBeforePubcomp, expectReleasedAgain)),
  ...clientChecks({ v5: '4.3.3-6' }, of(cutBeforePubcomp, expectNoPublishAfterPubrel)),
  ...clientChecks({ v5: '4.4.0-2' }, async (t) => {
    const { before, after } = await t.see(cutAfterRefusal)
    const refused = publishes(before, 1)[0]
    const again = publishes(after, 1).find(({ packetId, dup }) => dup && packetId === refused?.packetId)
    if (again) throw new CheckFailure('what was refused not to come again', `PUBLISH ${again.packetId} came again`)
  }),
]
