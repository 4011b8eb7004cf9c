import type { Rule } from '@godwit/admin/parts'

/** A change of a list of rules: so many, from that place on, by others. */
export interface Splice {
  /** Default: where the form of the file has the last. */
  readonly at?: number | undefined
  readonly removed: number
  readonly added: readonly Rule[]
}
