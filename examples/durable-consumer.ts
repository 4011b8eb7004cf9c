// A consumer that acknowledges after its own commit: a message is either in its file or still at the broker.
import { mkdtempSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@godwit/client'

const path = join(mkdtempSync(join(tmpdir(), 'godwit-')), 'ledger')
await using ledger = await open(path, 'a')
await using sender = await connect('mqtt://localhost')

// clean: false: the broker keeps what comes while the consumer is away.
const consumer = { clientId: 'ledger', clean: false }
const first = await connect('mqtt://localhost', consumer)
const failing = await first.subscribe('ledger/#', {
  qos: 1,
  onMessage: () => Promise.reject(new Error('disk full')), // not acknowledged
})
await sender.publish('ledger/1', 'ten euros', { qos: 1 })
console.log(await failing.closed.catch((error: Error) => error.message)) // disk full
await first.close()

await using second = await connect('mqtt://localhost', consumer)
const entries = await second.subscribe('ledger/#', { qos: 1, ack: 'manual' })
await sender.publish('ledger/2', 'twenty euros', { qos: 1 })
for await (const message of entries) {
  await ledger.appendFile(`${message.topic} ${message.text()}\n`)
  await ledger.datasync() // on disk first
  message.ack() // then the broker may forget it
  if (message.topic === 'ledger/2') break
}
const written = readFileSync(path, 'utf8').trim().split('\n')
console.log(written[0]) // ledger/1 ten euros
console.log(written[1]) // ledger/2 twenty euros
