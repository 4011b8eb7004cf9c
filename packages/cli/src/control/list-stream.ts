import type { Answers } from './answers.js'
import type { ListEnd, Listed, ListRequest } from './control-protocol.js'
import type { SteeredBroker } from './inspected-broker.js'

const pageSize = 500

/** Sends all that is asked for, page by page, as fast as it is taken. */
export async function streamList(
  broker: Pick<SteeredBroker, ListRequest['what']>,
  request: ListRequest,
  answers: Pick<Answers, 'sendInTurn' | 'end'>,
): Promise<void> {
  const nextPage = pagesOf(broker, request)
  for (let after: string | undefined = ''; after !== undefined; ) {
    const { items, next } = await nextPage({ limit: pageSize, ...(after !== '' && { after }) })
    if (items.length > 0 && !(await answers.sendInTurn({ items } satisfies Listed))) return
    after = next
  }
  answers.end({ end: true } satisfies ListEnd)
}

type PageOf = (options: { readonly limit: number; readonly after?: string }) => Promise<{
  readonly items: readonly object[]
  readonly next: string | undefined
}>

function pagesOf(broker: Pick<SteeredBroker, ListRequest['what']>, request: ListRequest): PageOf {
  const { what, user, client, filter } = request
  const search = request.search?.toLowerCase()
  const isFound = ({ clientId }: { readonly clientId: string }): boolean =>
    search === undefined || clientId.toLowerCase().includes(search)
  switch (what) {
    case 'clients':
      return async (options) => {
        const { items, next } = await broker.clients.page(options)
        return { items: items.filter((one) => isFound(one) && (user === undefined || one.username === user)), next }
      }
    case 'sessions':
      return async (options) => {
        const { items, next } = await broker.sessions.page(options)
        return { items: items.filter(isFound).map(withPlainEnd), next }
      }
    case 'subscriptions': {
      const which = { ...(client !== undefined && { clientId: client }), ...(filter !== undefined && { filter }) }
      return (options) => broker.subscriptions.page({ ...options, ...which })
    }
    case 'retained':
      return async (options) => {
        const { items, next } = await broker.retained.page({ ...options, ...(filter !== undefined && { filter }) })
        return { items: items.map(({ payload: _, ...one }) => withPlainEnd(one)), next }
      }
  }
}

/** JSON has no infinity: what never ends has no `expiresAt`. */
function withPlainEnd<T extends { readonly expiresAt: number | undefined }>({ expiresAt, ...view }: T): object {
  return expiresAt === undefined || expiresAt === Number.POSITIVE_INFINITY ? view : { ...view, expiresAt }
}
