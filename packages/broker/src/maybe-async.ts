/** A value that is there, or comes later. Only a hook that is asynchronous itself makes a packet wait. */
export type MaybeAsync<T> = T | Promise<T>

/** Goes on with `next` at once when the value is there: no promise, and no turn of the event loop, without need. */
export function whenReady<T, R>(value: MaybeAsync<T>, next: (value: T) => MaybeAsync<R>): MaybeAsync<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Does the work, and `after` once it is done: with a result or an error, at once or later. */
export function afterwards<T>(work: () => MaybeAsync<T>, after: () => void): MaybeAsync<T> {
  let answer: MaybeAsync<T>
  try {
    answer = work()
  } catch (error) {
    after()
    throw error
  }
  if (answer instanceof Promise) return answer.finally(after)
  after()
  return answer
}
