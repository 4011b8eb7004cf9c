// A durable reader inside the broker's process: what it has not acknowledged is there again after a restart.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import { lmdbStore } from '@godwit/broker/store/lmdb'
import { connect } from '@godwit/client'

const directory = mkdtempSync(join(tmpdir(), 'godwit-'))

const first = await createBroker({ store: lmdbStore({ directory }) })
const { port } = await first.listen({ port: 0 })
const orders = await first.session('orders', { expirySeconds: 86_400 })
await orders.subscribe('orders/#', { qos: 2 })

const shop = await connect(`mqtt://localhost:${port}`)
for (const order of ['bread', 'milk', 'tea'])
  await shop.publish('orders/new', order, { qos: 2 })
await shop.close()

for await (const message of orders) {
  console.log(message.number, message.text()) // 1 bread
  if (message.text() === 'milk') break // bread is acknowledged, milk is not
}
await first.close()

await using second = await createBroker({ store: lmdbStore({ directory }) })
await using again = await second.session('orders', { expirySeconds: 86_400 })
console.log(again.resumed) // true
for await (const message of again) {
  console.log('again', message.number, message.text()) // again 2 milk
  await again.publish('orders/done', message.payload, { qos: 1 }) // on disk
  if (message.text() === 'tea') break
}
