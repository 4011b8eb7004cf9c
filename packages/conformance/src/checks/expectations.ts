import { CheckFailure } from '../failure.js'
import type { Peer } from '../peer.js'

/** The same texts, in whatever order they came. */
export function expectSame(actual: readonly string[], wanted: readonly string[]): void {
  const [came, expected] = [[...actual].sort(), [...wanted].sort()].map((list) => list.join('; '))
  if (came !== expected) throw new CheckFailure(expected || 'nothing', `came ${came || 'nothing'}`)
}

/** The same texts in the same order. */
export function expectInOrder(actual: readonly string[], wanted: readonly string[]): void {
  const [came, expected] = [actual.join(', '), wanted.join(', ')]
  if (came !== expected) throw new CheckFailure(`in this order: ${expected}`, `came ${came}`)
}

export function expectSessionPresent(connack: { readonly sessionPresent: boolean }, wanted: boolean): void {
  if (connack.sessionPresent === wanted) return
  throw new CheckFailure(`CONNACK with Session Present ${Number(wanted)}`, `it has ${Number(!wanted)}`)
}

/** Where the expectation is not met because this connection was ended, says that instead, and with which DISCONNECT. */
export async function unlessEnded(c: Peer, expectation: Promise<unknown>): Promise<void> {
  try {
    await expectation
  } catch (error) {
    await c.expectNothing()
    throw error
  }
}

/** Says in which part of a check a failure came about. */
export async function within(part: string, expectation: Promise<void>): Promise<void> {
  try {
    await expectation
  } catch (error) {
    throw error instanceof CheckFailure ? new CheckFailure(`${error.expected} (${part})`, error.came) : error
  }
}
