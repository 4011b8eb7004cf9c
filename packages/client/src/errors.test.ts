import { expect, expectTypeOf, test } from 'vitest'
import { ClientError, InvalidArgumentError, isClientError, type PublishError } from './errors.js'

test('a code that does not exist does not compile, and the code tells the class', () => {
  const error: unknown = new InvalidArgumentError('invalid-topic', 'no')
  let told = ''
  if (error instanceof ClientError) {
    // @ts-expect-error: there is no such code
    if (error.code === 'invalid-topc') told = 'never'
    if (error.code === 'invalid-topic') told = 'topic'
  }
  expect(told).toBe('topic')
  if (isClientError(error) && error.code === 'refused') expectTypeOf(error).toEqualTypeOf<PublishError>()
  expect([isClientError(error), isClientError(new Error('no'))]).toEqual([true, false])
})
