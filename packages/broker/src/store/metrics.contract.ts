import { expect, it } from 'vitest'
import { Metrics } from '../metrics.js'
import { begin, flushed, idle, messageOf, resume } from './deliveries.contract.js'
import type { StoreKind } from './store-kind.contract.js'

/** What every store tells of itself. */
export function metricsContract(start: () => StoreKind): void {
  it('tells what all its queues hold together', async () => {
    const kind = start()
    const metrics = new Metrics()
    const { store } = await kind.open({ metrics })
    const [one, other] = [begin(store, 'one'), begin(store, 'other')]
    for (const text of ['a', 'bb', 'ccc']) one.put(messageOf(text))
    other.put(messageOf('dddd'))
    expect(metrics.queued).toEqual({ messages: 4, bytes: 10 + 4 * (100 + 't'.length) })
    await idle(store)
    one.finish(1)
    expect(metrics.queued.messages).toBe(3)
    other.stored.delete()
    expect(metrics.queued.messages).toBe(2)
    await idle(store)
    await store.close()
    if (!kind.lasting) return
    const again = new Metrics()
    const { store: reopened, recovered } = await kind.open({ metrics: again })
    expect([again.queued.messages, recovered.queued]).toEqual([2, 2])
    const resumed = resume(recovered, 'one')
    for (const number of [2, 3]) resumed.finish(number)
    expect(again.queued).toEqual({ messages: 0, bytes: 0 })
    await reopened.close()
  })

  it('takes a commit that means nothing', async () => {
    const { store } = await start().open()
    await flushed(store, store.check())
    await store.close()
  })
}
