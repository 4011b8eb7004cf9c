// A client to be killed: publishes and receives for ever, or, when told to finish, only what is left. What it has seen
// it writes into a journal, synchronously, so that the journal knows what was true when it died.
import { openSync, writeSync } from 'node:fs'
import { fileStore } from '../dist/file-store.js'
import { connect, memoryStore } from '../dist/index.js'

const [port, kind, path, journalPath, next, task] = process.argv.slice(2)
const journal = openSync(journalPath ?? '', 'a')
/** @param {(string | number)[]} words */
const note = (...words) => writeSync(journal, `${words.join(' ')}\n`)
// Whoever started it is gone: a test that was interrupted leaves no client behind.
process.on('disconnect', () => process.exit())

const store = kind === 'file' ? fileStore(path ?? '') : memoryStore()
const client = await connect(`mqtt://127.0.0.1:${port}`, { clientId: 'mortal', clean: false, maxInflight: 10, store })
note('recovered', client.queued + client.inflight)
client.on('recovered', ({ topic, error }) => error && note('failed', topic, error.code))
await client.subscribe('down', {
  qos: 2,
  ack: 'manual',
  onMessage: async (message) => {
    const text = message.text()
    note('got', text)
    message.ack()
    await store.flush()
    note('kept', text)
    if (text === 'end') await finish()
  },
})

// So long that the file is compacted again and again.
const padding = 'x'.repeat(8000)
for (let number = Number(next); task === 'load'; number++) {
  // Bursts are longer than the window: part of them is in flight and part waits when the end comes.
  if (number % 25 === 0) await client.ready()
  note('publishing', number)
  client.publish('up', `${number} ${padding}`, { qos: number % 2 === 0 ? 1 : 2 }).catch(() => {})
  store.flush()?.then(() => note('accepted', number))
  if (kind !== 'file') note('accepted', number)
}

async function finish() {
  // Not awaited here: close() waits for this handler.
  void client.close({ timeoutMs: 10_000 }).then(() => process.exit())
}
