// What every log must do, done by the one in JetStream.
import { randomBytes } from 'node:crypto'
import { systemClock } from '@godwit/broker'
import { jetstreamLog, type LogServer } from '@godwit/cluster'
import { afterAll, beforeAll, describe } from 'vitest'
import { commitLogContract } from '../../packages/broker/src/store/lmdb/commit-log.contract.js'
import type { CommitLog } from '../../packages/broker/src/store/lmdb/commit-log.js'
import { LogWriter } from '../../packages/cluster/src/log/log-writer.js'
import { ReplicatedLog } from '../../packages/cluster/src/node/replicated-log.js'
import { NatsServers, natsServer } from '../../packages/cluster/test/nats/nats-servers.js'

const program = natsServer()

describe.skipIf(program === undefined)('in JetStream (skipped without nats-server: scripts/fetch-nats.sh)', () => {
  let nats: NatsServers
  let server: LogServer
  let after = 0
  let epoch = 0
  beforeAll(async () => {
    nats = await NatsServers.start(program!, 1)
    server = await jetstreamLog({ name: 'contract', servers: nats.urls, replicas: 1, logBytes: 10_000_000 })
  })
  afterAll(async () => {
    await server?.close()
    await nats?.stop()
  })

  commitLogContract('replicated', (disk) => {
    const log = new ReplicatedLog(undefined).attach(disk)
    const instance = randomBytes(16).toString('hex')
    const began = server.last().then(async (last) => {
      after = last?.sequence ?? 0
      const writer = new LogWriter({
        server,
        clock: systemClock,
        epoch: ++epoch,
        instance,
        after,
        owner: { node: 'a' },
      })
      await writer.claim()
      log.begin(writer)
    })
    began.catch((error: Error) => log.refuse(error))
    return log as unknown as CommitLog // its Commit is the built package's
  })
})
