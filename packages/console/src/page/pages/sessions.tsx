import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { QueuedMessage, Session } from '../answers.js'
import { call, get } from '../api.js'
import { bytesOfBase64 } from '../bytes.js'
import { bytes, count, dateTime, plain, until } from '../format.js'
import { AskingButton } from '../parts/asking-button.js'
import type { Column } from '../parts/data-table.js'
import { Dialog } from '../parts/dialog.js'
import { Facts } from '../parts/facts.js'
import { Choice } from '../parts/fields.js'
import { List, useList } from '../parts/list-page.js'
import { Page } from '../parts/page.js'
import { useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { doing } from '../parts/toasts.js'
import { Search } from '../parts/tools.js'
import { ask, hrefOf, place } from '../router.js'
import { may } from '../session.js'
import { texts } from '../texts.js'

const words = texts.sessions
const everyMs = 5_000

const columns: readonly Column<Session>[] = [
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
    name: 'connected',
    title: words.columns.connected,
    cell: ({ connected, inside }) => (inside ? words.inside : connected ? texts.yes : texts.no),
  },
  { name: 'queued', title: words.columns.queued, sort: 'queued', isNumber: true, cell: ({ queued }) => count(queued) },
  {
    name: 'inflight',
    title: words.columns.inflight,
    sort: 'inflight',
    isNumber: true,
    cell: ({ inflight }) => count(inflight),
  },
  {
    name: 'subscriptions',
    title: words.columns.subscriptions,
    sort: 'subscriptions',
    isNumber: true,
    cell: ({ subscriptions }) => count(subscriptions),
  },
  { name: 'durable', title: words.columns.durable, cell: ({ durable }) => (durable ? texts.yes : texts.no) },
  {
    name: 'expiresAt',
    title: words.columns.expiresAt,
    sort: 'expiresAt',
    cell: ({ connected, expiresAt }) =>
      connected ? (
        ''
      ) : expiresAt === null ? (
        texts.never
      ) : (
        <span title={dateTime(expiresAt)}>{texts.in(until(expiresAt))}</span>
      ),
  },
]

/** What outlives connections, and what waits in it. */
export function Sessions(): JSX.Element {
  const { query } = place.value
  const search = query.get('search') ?? ''
  const sort = query.get('sort') ?? ''
  const connected = query.get('connected') ?? ''
  const client = query.get('client')
  const { source, list } = useList<Session>({
    label: words.title,
    path: '/sessions',
    query: { search: search || undefined, connected: connected || undefined },
    columns,
    keyOf: ({ clientId }) => clientId,
    empty: search === '' ? words.empty : words.emptySearch,
    sort,
    onSort: (by) => ask({ sort: by }),
    everyMs,
  })
  return (
    <Page title={words.title}>
      <div class="stack">
        <div class="tools">
          <Search label={words.search} value={search} onChange={(text) => ask({ search: text })} />
          <Choice
            label={words.which}
            value={connected}
            of={{ '': words.all, true: words.connected, false: words.away }}
            onChange={(one) => ask({ connected: one })}
          />
        </div>
        {list(source)}
      </div>
      {client !== null && <Detail clientId={client} onGone={source.reload} />}
    </Page>
  )
}

const queueColumns: readonly Column<QueuedMessage>[] = [
  { name: 'topic', title: words.queueColumns.topic, cell: ({ topic }) => <span class="mono">{plain(topic)}</span> },
  { name: 'state', title: words.queueColumns.state, cell: ({ state }) => words.states[state] },
  { name: 'qos', title: words.queueColumns.qos, isNumber: true, cell: ({ qos }) => qos },
  { name: 'size', title: words.queueColumns.size, isNumber: true, cell: ({ payloadBytes }) => bytes(payloadBytes) },
  { name: 'publisher', title: words.queueColumns.publisher, cell: ({ publisher }) => plain(publisher) },
  {
    name: 'expiresAt',
    title: words.queueColumns.expiresAt,
    cell: ({ expiresAt }) => (expiresAt === null ? texts.never : texts.in(until(expiresAt))),
  },
]

const mostShown = 200

const payloadColumn: Column<QueuedMessage> = {
  name: 'payload',
  title: words.payload,
  cell: ({ payload = '' }) => <span class="mono">{beginningOf(payload)}</span>,
}

/** How a payload in base64 begins, as text. */
function beginningOf(payload: string): string {
  const beginning = bytesOfBase64(payload.slice(0, mostShown * 4))
  return plain(new TextDecoder().decode(beginning).slice(0, mostShown))
}

function Detail({ clientId, onGone }: { readonly clientId: string; readonly onGone: () => void }): JSX.Element {
  const source = useRemote(clientId, (signal) => get<Session>('/session', { clientId }, signal), { everyMs })
  const close = (): void => ask({ client: undefined })
  const end = async (): Promise<void> => {
    if (!(await doing(() => call('DELETE', '/session', { query: { clientId } }), words.ended(plain(clientId))))) return
    close()
    onGone()
  }
  const isGone = source.remote.value.problem?.status === 404
  const hasPayloads = useSignal(false)
  return (
    <Dialog title={`${words.detail} ${plain(clientId)}`} onClose={close}>
      {isGone ? (
        <State picture="empty" title={words.gone} />
      ) : (
        <Shown of={source}>{(session) => <Facts columns={columns} row={session} />}</Shown>
      )}
      {!isGone && (
        <>
          <div class="row">
            <h3 class="grow">{words.queue}</h3>
            {may('operator') && (
              <label class="check">
                <input
                  type="checkbox"
                  checked={hasPayloads.value}
                  onChange={({ currentTarget }) => {
                    hasPayloads.value = currentTarget.checked
                  }}
                />
                {words.payloads}
              </label>
            )}
          </div>
          <List<QueuedMessage>
            label={words.queue}
            path="/session/queue"
            query={{ clientId, payloads: hasPayloads.value || undefined }}
            columns={
              hasPayloads.value ? [...queueColumns.slice(0, 1), payloadColumn, ...queueColumns.slice(1)] : queueColumns
            }
            keyOf={({ number }) => String(number)}
            empty={words.queueEmpty}
            everyMs={everyMs}
          />
        </>
      )}
      <div class="buttons">
        <a class="button" href={hrefOf('subscriptions', { client: clientId })}>
          {texts.clients.subscriptionsOf}
        </a>
        {may('admin') && (
          <AskingButton
            label={words.end}
            title={words.endTitle(plain(clientId))}
            text={words.endText}
            onConfirm={end}
          />
        )}
      </div>
    </Dialog>
  )
}
