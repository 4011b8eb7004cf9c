/**
 * The number of a commit. Writes are gathered; each answers with the number of the commit it will be part of, and the
 * store says once "flushed up to n". An acknowledgement that promises a write waits until then. 0: nothing to wait for.
 */
export type Commit = number
