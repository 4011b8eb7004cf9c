import type { DropCount, DropsView, DropWatch } from '@godwit/broker'
import type { AdministeredBroker } from './options.js'

/** What was dropped since the API began: the watch is asked for at once, and here when somebody looks. */
export class WatchedDrops {
  readonly #watch: Promise<DropWatch>

  constructor(broker: Pick<AdministeredBroker, 'watchDrops'>) {
    this.#watch = broker.watchDrops()
    this.#watch.catch(() => {}) // told to whoever looks
  }

  async recent(): Promise<DropsView> {
    return (await this.#watch).recent()
  }

  async of(clientId: string): Promise<readonly DropCount[]> {
    return (await this.#watch).of(clientId)
  }

  close(): void {
    void this.#watch.then((watch) => watch.stop()).catch(() => {})
  }
}
