import { signal } from '@preact/signals'

/** Where one is: `#/clients?search=lamp`. */
export interface Place {
  /** `clients`; empty: the overview. */
  readonly page: string
  readonly query: URLSearchParams
}

function here(): Place {
  const [, page = '', search = ''] = /^#\/([\w-]*)(?:\?(.*))?$/s.exec(location.hash) ?? []
  return { page, query: new URLSearchParams(search) }
}

export const place = signal<Place>(here())

addEventListener('hashchange', () => {
  place.value = here()
})

export function hrefOf(page: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, value)
  const text = search.toString()
  return `#/${page}${text && `?${text}`}`
}

/** Changes what is asked of the page that one is on; nothing is added to the history. */
export function ask(query: Readonly<Record<string, string | undefined>>): void {
  const { page, query: before } = place.value
  const href = hrefOf(page, { ...Object.fromEntries(before), ...query })
  history.replaceState(null, '', href)
  place.value = here()
}

export function go(page: string, query?: Readonly<Record<string, string | undefined>>): void {
  location.hash = hrefOf(page, query)
}
