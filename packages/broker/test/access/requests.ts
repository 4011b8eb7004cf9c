import type { AuthenticateRequest } from '../../src/index.js'

/** A CONNECT as authenticators see it. */
export function connectRequest(
  username: string | undefined,
  password: string | undefined,
  more: Partial<AuthenticateRequest> = {},
): AuthenticateRequest {
  return {
    clientId: 'c',
    username,
    password: password === undefined ? undefined : Buffer.from(password),
    address: '192.0.2.1',
    version: 5,
    cleanStart: true,
    ...more,
  }
}
