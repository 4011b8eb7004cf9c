import { signal } from '@preact/signals'
import { call, get, listenToLink, Problem } from './api.js'

export type Role = 'viewer' | 'operator' | 'admin'

/** Who looks at the page. */
export interface Self {
  readonly name: string
  readonly role: Role
  readonly expiresAt: string | null
}

/** `undefined`: not known yet; null: nobody has logged in. */
export const self = signal<Self | null | undefined>(undefined)

/** Why there is nobody any more, in words; empty: nobody has been. */
export const loggedOutBecause = signal('')

/** Since when the server does not answer, in epoch ms; `undefined`: it does. */
export const lostSince = signal<number | undefined>(undefined)

const roles: readonly Role[] = ['viewer', 'operator', 'admin']

/** Whether who looks may do what needs this role. */
export function may(least: Role): boolean {
  const { role } = self.value ?? {}
  return role !== undefined && roles.indexOf(role) >= roles.indexOf(least)
}

/** The code of a login link stands in the URL's fragment, which is never sent: it is exchanged, and taken out of the history. */
function codeInUrl(): string | undefined {
  const [, code] = /^#login=([\w-]{1,200})$/.exec(location.hash) ?? []
  if (code !== undefined) history.replaceState(null, '', '#/')
  return code
}

/** Finds out who looks. */
export async function begin(): Promise<void> {
  listenToLink({
    answered: () => {
      lostSince.value = undefined
    },
    unreachable: () => {
      lostSince.value ??= Date.now()
    },
    unauthenticated: () => {
      if (self.value) loggedOutBecause.value = 'ended'
      self.value = null
    },
  })
  const code = codeInUrl()
  if (code !== undefined) return logIn({ code }).catch((error) => failed(error))
  await get<Self>('/self').then(
    (found) => {
      self.value = found
    },
    (error) => failed(error),
  )
}

function failed(error: unknown): void {
  if (error instanceof Problem && error.status !== 401 && error.status !== 0) loggedOutBecause.value = error.message
  if (error instanceof Problem && error.status === 0) setTimeout(() => void begin(), 2_000)
  else self.value = null
}

/** @throws Problem */
export async function logIn(by: { readonly code: string } | { readonly token: string }): Promise<void> {
  try {
    const { value } = await call<Self>('POST', '/login', { body: by })
    loggedOutBecause.value = ''
    self.value = value
  } catch (error) {
    if (error instanceof Problem) loggedOutBecause.value = error.message
    throw error
  }
}

export async function logOut(): Promise<void> {
  await call('POST', '/logout').catch(() => {})
  loggedOutBecause.value = ''
  self.value = null
}
