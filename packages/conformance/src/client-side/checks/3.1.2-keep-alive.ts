import { CheckFailure } from '../../failure.js'
import { type ClientCheck, clientChecks } from '../client-check.js'
import type { Connection } from '../connection.js'
import { idling, idlingAsTold } from '../plays.js'

/** The gap that a server must bear is one and a half times as long (section 3.1.2.10): what is over that is certain. */
function expectSigns(connection: Connection, keepAliveSeconds: number): void {
  const pings = connection.packets('pingreq').length
  if (pings === 0) throw new CheckFailure(`PINGREQ within ${keepAliveSeconds} s of silence`, 'none came')
  const times = connection.heard.map(({ at }) => at)
  const gaps = times.slice(1).map((at, i) => at - times[i]!)
  const longest = Math.max(...gaps)
  if (longest <= 1500 * keepAliveSeconds) return
  throw new CheckFailure(`a packet at least every ${keepAliveSeconds} s`, `a gap of ${Math.round(longest)} ms came`)
}

export const keepAliveChecks: readonly ClientCheck[] = [
  ...clientChecks({ v4: '3.1.2-23', v5: '3.1.2-20' }, async (t) => {
    const connection = await t.see(idling)
    expectSigns(connection, connection.packets('connect')[0]!.keepAliveSeconds)
  }),
  ...clientChecks({ v5: ['3.1.2-21', '3.2.2-21'] }, async (t) => expectSigns(await t.see(idlingAsTold), 1)),
]
