import { expect, it } from 'vitest'
import { Metrics } from '../metrics.js'
import { checkOptions } from '../options.js'
import { makeRooms } from '../rooms.js'
import { VirtualClock } from '../testing/index.js'
import type { Opened, Registry } from './registry.js'
import type { Session, SessionUser } from './session.js'

function registry(): Registry {
  const options = checkOptions({ clock: new VirtualClock(0) })
  return makeRooms(options, new Metrics()).registry
}

/** A connection whose end takes its time, as one does that another machine has. */
class SlowUser implements SessionUser {
  readonly clientId: string | undefined = 'c'
  closed = false
  takenOver = 0
  session: Session | undefined
  readonly #registry: Registry
  #end: () => void = () => {}

  constructor(of: Registry) {
    this.#registry = of
  }

  get facts(): never {
    throw new Error('nobody asks')
  }

  takeOver(): Promise<void> {
    this.takenOver++
    return new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Its connection is gone, at last. */
  gone(): void {
    this.end()
    this.#end()
  }

  end(): void {
    if (!this.closed && this.session) this.#registry.closed(this.session)
    this.closed = true
  }

  cutOff(): () => void {
    return () => {}
  }

  onFault(): void {}

  /** Comes with its CONNECT. */
  async open(): Promise<Opened | undefined> {
    const opened = await this.#registry.open({ clientId: 'c', clean: false, expirySeconds: 60, will: undefined }, this)
    if (opened === 'in-use') throw new Error('nobody is inside')
    this.session = opened?.session
    return opened
  }
}

it('two who come with one Client Identifier while an older connection ends have the session one after the other', async () => {
  const all = registry()
  const [first, second, third] = [new SlowUser(all), new SlowUser(all), new SlowUser(all)]
  await first.open()
  const opened = [second.open(), third.open()]
  expect(first.takenOver).toBe(1)
  first.gone()
  expect((await opened[0])?.present).toBe(true)
  expect(all.get('c')?.user).toBe(second)
  await expect.poll(() => second.takenOver).toBe(1)
  second.gone()
  expect((await opened[1])?.present).toBe(true)
  expect([all.get('c')?.user, first.takenOver, second.takenOver, third.takenOver]).toEqual([third, 1, 1, 0])
})

it('who has gone before its turn came gets nothing, and takes nothing from anybody', async () => {
  const all = registry()
  const [first, second, third] = [new SlowUser(all), new SlowUser(all), new SlowUser(all)]
  await first.open()
  const opened = [second.open(), third.open()]
  second.end()
  first.gone()
  expect(await opened[0]).toBeUndefined()
  expect((await opened[1])?.session.user).toBe(third)
  expect(all.count).toBe(1)
})
