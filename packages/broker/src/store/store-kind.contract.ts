import type { Recovered, Store, StoreHost } from './store.js'

/** A store a test works with, and what it found when it was opened. */
export interface OpenedStore {
  readonly store: Store
  readonly recovered: Recovered
}

/** How the suite gets at one kind of store. */
export interface StoreKind {
  /** Opens a store on what is there: nothing, or what `store` wrote before it was closed. */
  open(host?: Partial<StoreHost>): Promise<OpenedStore>
  /** Whether what is written outlives {@link Store.close}. */
  readonly lasting: boolean
}
