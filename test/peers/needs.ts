import { expect, type TestContext } from 'vitest'

/** CI sets it: there, a missing peer is a failure. */
const required = process.env.GODWIT_TEST_REQUIRE_PEERS === '1'

/** Skips a test that wants what is not here, and says why. */
export function needs({ skip }: TestContext, ...wanted: readonly { readonly missing: string | undefined }[]): void {
  const reason = wanted.find(({ missing }) => missing !== undefined)?.missing
  if (reason !== undefined && !required) skip(reason)
  expect(reason).toBeUndefined()
}
