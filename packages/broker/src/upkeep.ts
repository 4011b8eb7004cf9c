import { encodeUtf8 } from '@godwit/protocol'
import type { SysTopics } from './inspection/sys-topics.js'
import { Message } from './message.js'
import type { Rooms } from './rooms.js'
import type { WheelTimer } from './time/timer-wheel.js'

/** What a broker does by itself, time after time: what is due is cleared away, the disk is looked at, `$SYS` is told. */
export class Upkeep {
  readonly #rooms: Rooms
  readonly #sysTopics: SysTopics
  #sysIntervalSeconds = 0
  #sysTimer: WheelTimer | undefined

  constructor(rooms: Rooms, sysTopics: SysTopics) {
    this.#rooms = rooms
    this.#sysTopics = sysTopics
  }

  /** Every second: what is due in queues and of what is retained, and how the disk is. */
  tick(): void {
    const { wheel, options, memory, router, time } = this.#rooms
    wheel.after(1000, () => this.tick()) // first: one that fails must not be the last
    options.store.tick()
    memory.expiry.clear(time.expiryNow())
    router.sweep(time.expiryNow())
  }

  /** From here on the `$SYS` topics come so often; 0: they are gone. */
  setSysInterval(seconds: number): void {
    if (seconds === this.#sysIntervalSeconds) return
    this.#sysIntervalSeconds = seconds
    this.#sysTimer?.cancel()
    if (seconds > 0) return this.#publishSys()
    this.#removeSys(this.#sysTopics.forget())
  }

  /** Publishes what has changed, and sets itself again. */
  #publishSys(): void {
    this.#sysTimer = this.#rooms.wheel.after(this.#sysIntervalSeconds * 1000, () => this.#publishSys())
    for (const [topic, value] of this.#sysTopics.changed()) {
      this.#rooms.router.publish(Message.of(topic, encodeUtf8(value), 0, true))
    }
    this.#removeSys(this.#sysTopics.gone())
  }

  #removeSys(topics: readonly string[]): void {
    for (const topic of topics) this.#rooms.router.retained.delete(topic)
  }
}
