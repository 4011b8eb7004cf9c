// An acknowledgement that means "on disk": what was acknowledged is there when the broker is opened again.
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import { lmdbStore } from '@godwit/broker/store/lmdb'
import { connect } from '@godwit/client'

const directory = await mkdtemp(join(tmpdir(), 'godwit-'))
const session = { clientId: 'printer', clean: false }

const first = await createBroker({ store: lmdbStore({ directory }) })
const { port } = await first.listen({ port: 0 })
const printer = await connect(`mqtt://localhost:${port}`, session)
await printer.subscribe('jobs', { qos: 2 })
await printer.close()
const sender = await connect(`mqtt://localhost:${port}`)
await sender.publish('jobs', 'page 1', { qos: 2 }) // resolves when it is on disk
await sender.close()
await first.close()

await using second = await createBroker({ store: lmdbStore({ directory }) })
await second.listen({ port })
await using again = await connect(`mqtt://localhost:${port}`, session)
for await (const job of await again.subscribe('jobs', { qos: 2 })) {
  console.log(job.text()) // page 1
  break
}
