import { type Broker, createBroker, scramCredentials, scramSha256 as scramServer } from '@godwit/broker'
import { afterEach, expect, test } from 'vitest'
import { connect, scramSha256 } from '../src/index.js'
import { failure } from './rig.js'

let broker: Broker | undefined
afterEach(() => broker?.close())

async function listening(options: Parameters<typeof createBroker>[0] = {}): Promise<string> {
  broker = await createBroker({ sysIntervalSeconds: 0, ...options })
  const { port } = await broker.listen({ port: 0 })
  return `mqtt://127.0.0.1:${port}`
}

test('SCRAM-SHA-256: both sides prove that they know the password', async () => {
  const ada = scramCredentials('pencil', 4096)
  const url = await listening({
    hooks: [
      { authenticationMethods: { 'SCRAM-SHA-256': scramServer((name) => (name === 'a,da=' ? ada : undefined)) } },
    ],
  })
  await using client = await connect(url, { authentication: scramSha256('a,da=', 'pencil') })
  await client.reauthenticate()
  const wrong = connect(url, { authentication: scramSha256('a,da=', 'pen'), reconnect: false })
  expect(await failure(wrong)).toMatchObject({ code: 'server-refused', reasonCode: 0x87 })
})

test('the client whose session is taken over ends, and says why', async () => {
  const url = await listening()
  const first = await connect(url, { clientId: 'twin' })
  const ended = new Promise((resolve) => first.on('close', resolve))
  await using _second = await connect(url, { clientId: 'twin' })
  expect(await ended).toMatchObject({ error: { code: 'server-disconnected', reasonCode: 0x8e } })
})

test('requests, shared subscriptions, aliases and identifiers together', async () => {
  const url = await listening()
  await using one = await connect(url, { clientId: 'one' })
  await using two = await connect(url, { clientId: 'two' })
  const served = { one: 0, two: 0 }
  await one.respond('$share/workers/add/+a/+b', ({ params }) => {
    served.one += 1
    return `${Number(params.a) + Number(params.b)}`
  })
  await two.respond('$share/workers/add/+a/+b', ({ params }) => {
    served.two += 1
    return `${Number(params.a) + Number(params.b)}`
  })
  await using asking = await connect(url)
  const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => asking.request(`add/${n}/1`, '')))
  expect(answers.map((message) => Number(message.text()))).toEqual(Array.from({ length: 40 }, (_, n) => n + 1))
  expect([served.one + served.two, served.one > 0, served.two > 0]).toEqual([40, true, true])
})
