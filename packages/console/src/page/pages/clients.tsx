import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { Client, Listed } from '../answers.js'
import { call, get } from '../api.js'
import { bytes, count, dateTime, plain, since } from '../format.js'
import { type Column, DataTable } from '../parts/data-table.js'
import { Confirm, Dialog } from '../parts/dialog.js'
import { useLonger } from '../parts/longer.js'
import { Page } from '../parts/page.js'
import { useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { doing } from '../parts/toasts.js'
import { ColumnChoice, Search, useColumns } from '../parts/tools.js'
import { ask, place } from '../router.js'
import { may } from '../session.js'
import { texts } from '../texts.js'

const words = texts.clients
const everyMs = 5_000
const orders: Readonly<Record<string, string>> = {
  '': words.presets.name,
  '-outboxBytes': words.presets.slowest,
  '-queued': words.presets.deepest,
  '-connectedAt': words.presets.newest,
}

const columns: readonly Column<Client>[] = [
  {
    name: 'clientId',
    title: words.columns.clientId,
    cell: ({ clientId }) => (
      <button type="button" class="linkish mono" onClick={() => ask({ client: clientId })}>
        {plain(clientId)}
      </button>
    ),
  },
  {
    name: 'username',
    title: words.columns.username,
    sort: 'username',
    cell: ({ username }) => (username === null ? <span class="muted">{words.anonymous}</span> : plain(username)),
  },
  { name: 'address', title: words.columns.address, sort: 'address', cell: ({ address }) => plain(address) },
  { name: 'transport', title: words.columns.transport, cell: ({ transport }) => transport },
  { name: 'version', title: words.columns.version, cell: ({ version }) => version },
  {
    name: 'connectedAt',
    title: words.columns.connectedAt,
    sort: 'connectedAt',
    isNumber: true,
    cell: ({ connectedAt }) => <span title={dateTime(connectedAt)}>{since(connectedAt)}</span>,
  },
  {
    name: 'subscriptions',
    title: words.columns.subscriptions,
    sort: 'subscriptions',
    isNumber: true,
    cell: ({ subscriptions }) => count(subscriptions),
  },
  {
    name: 'inflight',
    title: words.columns.inflight,
    sort: 'inflight',
    isNumber: true,
    cell: ({ inflight }) => count(inflight),
  },
  { name: 'queued', title: words.columns.queued, sort: 'queued', isNumber: true, cell: ({ queued }) => count(queued) },
  {
    name: 'outboxBytes',
    title: words.columns.outboxBytes,
    sort: 'outboxBytes',
    isNumber: true,
    cell: ({ outboxBytes }) => bytes(outboxBytes),
  },
  {
    name: 'keepAliveSeconds',
    title: words.columns.keepAliveSeconds,
    isNumber: true,
    cell: ({ keepAliveSeconds }) => (keepAliveSeconds === 0 ? texts.none : `${keepAliveSeconds} s`),
  },
  {
    name: 'cleanStart',
    title: words.columns.cleanStart,
    cell: ({ cleanStart }) => (cleanStart ? texts.yes : texts.no),
  },
]
const shownFirst = [
  'clientId',
  'username',
  'address',
  'transport',
  'version',
  'connectedAt',
  'subscriptions',
  'inflight',
  'queued',
  'outboxBytes',
]

/** Who is connected. */
export function Clients(): JSX.Element {
  const { query } = place.value
  const search = query.get('search') ?? ''
  const sort = query.get('sort') ?? ''
  const client = query.get('client')
  const chosen = useColumns('clients', columns, shownFirst)
  const longer = useLonger(`${search}\n${sort}`)
  const source = useRemote(
    `${search}\n${sort}\n${longer.limit.value}`,
    (signal) =>
      get<Listed<Client>>(
        '/clients',
        { limit: longer.limit.value, search: search || undefined, sort: sort || undefined },
        signal,
      ),
    { everyMs },
  )
  return (
    <Page title={words.title}>
      <div class="stack">
        <div class="tools">
          <Search label={words.search} value={search} onChange={(text) => ask({ search: text })} />
          <label class="field">
            <span>{words.order}</span>
            <select
              value={sort in orders ? sort : ''}
              onChange={({ currentTarget }) => ask({ sort: currentTarget.value })}
            >
              {Object.entries(orders).map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <ColumnChoice chosen={chosen} />
        </div>
        <Shown of={source}>
          {({ items, next }) =>
            items.length === 0 && next === null ? (
              <State picture="empty" title={texts.state.nothing}>
                <p class="muted">{search === '' ? words.empty : words.emptySearch}</p>
              </State>
            ) : (
              <>
                <DataTable
                  label={words.title}
                  columns={chosen.columns}
                  rows={items}
                  keyOf={({ clientId }) => clientId}
                  sort={sort}
                  onSort={(by) => ask({ sort: by })}
                />
                <longer.More shown={items.length} next={next} />
              </>
            )
          }
        </Shown>
      </div>
      {client !== null && <Detail clientId={client} onGone={source.reload} />}
    </Page>
  )
}

function Detail({ clientId, onGone }: { readonly clientId: string; readonly onGone: () => void }): JSX.Element {
  const source = useRemote(clientId, (signal) => get<Client>('/client', { clientId }, signal), { everyMs })
  const isAsking = useSignal(false)
  const close = (): void => ask({ client: undefined })
  const kick = async (): Promise<void> => {
    const isDone = await doing(
      () => call('POST', '/client/disconnect', { query: { clientId } }),
      words.kicked(plain(clientId)),
    )
    if (!isDone) return
    close()
    onGone()
  }
  const { problem } = source.remote.value
  return (
    <Dialog title={`${words.detail} ${plain(clientId)}`} onClose={close}>
      {problem?.status === 404 ? (
        <State picture="empty" title={words.gone} />
      ) : (
        <Shown of={source}>{(client) => <ClientFacts client={client} />}</Shown>
      )}
      <div class="buttons">
        {may('operator') && (
          <button
            type="button"
            class="button danger"
            onClick={() => {
              isAsking.value = true
            }}
          >
            {words.kick}
          </button>
        )}
      </div>
      {isAsking.value && (
        <Confirm
          title={words.kickTitle(plain(clientId))}
          text={words.kickText}
          action={words.kick}
          onConfirm={() => void kick()}
          onClose={() => {
            isAsking.value = false
          }}
        />
      )}
    </Dialog>
  )
}

function ClientFacts({ client }: { readonly client: Client }): JSX.Element {
  return (
    <dl class="facts">
      {columns.slice(1).map(({ name, title, cell }) => (
        <>
          <dt key={`${name} title`}>{title}</dt>
          <dd key={name}>{cell(client)}</dd>
        </>
      ))}
    </dl>
  )
}
