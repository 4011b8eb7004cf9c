// A password file and access rules: who may come in, and who may do what.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import {
  accessRules,
  authenticationChain,
  hashPassword,
  passwordFile,
} from '@godwit/broker/access'
import { connect } from '@godwit/client'

const passwords = join(mkdtempSync(join(tmpdir(), 'godwit-')), 'passwords')
// As `godwit passwd` does.
writeFileSync(passwords, `ann:${await hashPassword(Buffer.from('secret'))}\n`)

const chain = authenticationChain([await passwordFile(passwords)])
const rules = accessRules([
  { allow: ['publish', 'subscribe', 'receive'], filter: 'home/#' },
])
await using broker = await createBroker({ hooks: [chain, rules] })
const { port } = await broker.listen({ port: 0 })

await using client = await connect(`mqtt://ann:secret@localhost:${port}`)
await client.publish('home/kitchen', 'warm', { qos: 1 })
const refused = await client.subscribe('other/#').catch((error: Error) => error.name)
console.log(refused) // SubscriptionRefusedError
chain.close()
