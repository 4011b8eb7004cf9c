// Whoever watches mosquitto by its $SYS topics finds all of them here.
import { connect } from '@godwit/client'
import { expect, test } from 'vitest'
import { type Broker, godwit, mosquitto } from './brokers.js'
import { needs } from './needs.js'

/** The `$SYS` topics of a broker that has just been started, and have a first message. */
async function sysTopicsOf(broker: Broker, wanted: (topics: ReadonlySet<string>) => boolean): Promise<Set<string>> {
  const { port, stop } = await broker.start()
  try {
    await using client = await connect(`mqtt://127.0.0.1:${port}`)
    await using subscription = await client.subscribe('$SYS/#')
    const topics = new Set<string>()
    for await (const { topic } of subscription) {
      topics.add(topic)
      if (wanted(topics)) break
    }
    return topics
  } finally {
    await stop()
  }
}

test("mosquitto's $SYS topics are godwit's too", async (context) => {
  needs(context, mosquitto, godwit)
  const theirs = await sysTopicsOf(mosquitto, (topics) => topics.has('$SYS/broker/uptime') && topics.size >= 50)
  expect(theirs.size).toBeGreaterThanOrEqual(50)
  const missing = (topics: ReadonlySet<string>): string[] => [...theirs].filter((topic) => !topics.has(topic))
  const ours = await sysTopicsOf(godwit, (topics) => missing(topics).length === 0 || topics.size >= 100)
  expect(missing(ours)).toEqual([])
})
