const ignore = (): void => {}

/**
 * The promise of a call, which rejects for those who look at it. Nobody has to: a rejection that nobody sees is told by an
 * event where something was lost, and does not end the process.
 */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore)
  return promise
}

/** The promise of a call; what `start` throws is a rejection as well. Nobody need look at it. */
export function quietCall<T>(start: () => Promise<T>): Promise<T> {
  return quiet((async () => start())())
}
