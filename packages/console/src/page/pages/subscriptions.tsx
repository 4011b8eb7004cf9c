import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { SharedGroup, SharedGroupWithMembers, Subscription } from '../answers.js'
import { get } from '../api.js'
import { bytes, count, plain } from '../format.js'
import { type Column, DataTable } from '../parts/data-table.js'
import { Dialog } from '../parts/dialog.js'
import { List } from '../parts/list-page.js'
import { Page } from '../parts/page.js'
import { useRemote } from '../parts/remote.js'
import { Shown } from '../parts/shown.js'
import { Search } from '../parts/tools.js'
import { ask, hrefOf, place } from '../router.js'
import { texts } from '../texts.js'

const words = texts.subscriptions
const everyMs = 5_000

const clientLink = (clientId: string): JSX.Element => (
  <a class="mono" href={hrefOf('sessions', { client: clientId })}>
    {plain(clientId)}
  </a>
)

function options({ noLocal, retainAsPublished, subscriptionIdentifier: id }: Subscription): string {
  const found = [...(noLocal ? [words.noLocal] : []), ...(retainAsPublished ? [words.retainAsPublished] : [])]
  return [...found, ...(id > 0 ? [words.identifier(id)] : [])].join(', ')
}

const columns: readonly Column<Subscription>[] = [
  { name: 'clientId', title: words.columns.clientId, cell: ({ clientId }) => clientLink(clientId) },
  { name: 'filter', title: words.columns.filter, cell: ({ filter }) => <span class="mono">{plain(filter)}</span> },
  { name: 'qos', title: words.columns.qos, isNumber: true, cell: ({ qos }) => qos },
  { name: 'shareName', title: words.columns.shareName, cell: ({ shareName }) => plain(shareName ?? '') },
  { name: 'options', title: words.columns.options, cell: options },
]

const keyOf = ({ clientId, filter }: Subscription): string => `${clientId}\0${filter}`

/** Who wants what. */
export function Subscriptions(): JSX.Element {
  const { query } = place.value
  const search = query.get('search') ?? ''
  const client = query.get('client') ?? ''
  return (
    <Page title={words.title}>
      <div class="stack">
        <div class="tools">
          <Search label={words.search} value={search} onChange={(text) => ask({ search: text })} />
        </div>
        {client !== '' && (
          <p class="row">
            {words.of(plain(client))}
            <button type="button" class="button small" onClick={() => ask({ client: undefined })}>
              {words.ofAll}
            </button>
          </p>
        )}
        <List<Subscription>
          label={words.title}
          path="/subscriptions"
          query={{ search: search || undefined, clientId: client || undefined }}
          columns={columns}
          keyOf={keyOf}
          empty={search === '' ? words.empty : words.emptySearch}
          everyMs={everyMs}
        />
        <Receivers />
        <Groups />
      </div>
    </Page>
  )
}

function Receivers(): JSX.Element {
  const given = place.value.query.get('receivers') ?? ''
  const topic = useSignal(given)
  const asked = useSignal<string | undefined>(given === '' ? undefined : given)
  return (
    <section class="panel stack">
      <h2>{words.receivers}</h2>
      <form
        class="tools"
        onSubmit={(event) => {
          event.preventDefault()
          asked.value = topic.value
        }}
      >
        <label class="field grow">
          <span>{words.receiversTopic}</span>
          <input
            class="mono"
            required
            value={topic.value}
            onInput={({ currentTarget }) => {
              topic.value = currentTarget.value
            }}
          />
        </label>
        <button type="submit" class="button">
          {words.receiversAsk}
        </button>
      </form>
      {asked.value !== undefined && (
        <>
          <List<Subscription>
            label={words.receivers}
            path="/receivers"
            query={{ topic: asked.value }}
            columns={columns}
            keyOf={keyOf}
            empty={words.receiversNone}
          />
          <p class="muted">{words.receiversMore}</p>
        </>
      )}
    </section>
  )
}

const groupColumns: readonly Column<SharedGroup>[] = [
  {
    name: 'shareName',
    title: words.groupColumns.shareName,
    cell: ({ shareName, sharedFilter }) => (
      <button type="button" class="linkish mono" onClick={() => ask({ group: sharedFilter })}>
        {plain(shareName)}
      </button>
    ),
  },
  { name: 'filter', title: words.groupColumns.filter, cell: ({ filter }) => <span class="mono">{plain(filter)}</span> },
  {
    name: 'members',
    title: words.groupColumns.members,
    sort: 'members',
    isNumber: true,
    cell: ({ members }) => count(members),
  },
  {
    name: 'waiting',
    title: words.groupColumns.waiting,
    sort: 'waiting',
    isNumber: true,
    cell: ({ waiting }) => count(waiting),
  },
  { name: 'lent', title: words.groupColumns.lent, sort: 'lent', isNumber: true, cell: ({ lent }) => count(lent) },
  {
    name: 'queuedBytes',
    title: words.groupColumns.queuedBytes,
    sort: 'queuedBytes',
    isNumber: true,
    cell: ({ queuedBytes }) => bytes(queuedBytes),
  },
]

function Groups(): JSX.Element {
  const { query } = place.value
  const sort = query.get('groups') ?? ''
  const group = query.get('group')
  return (
    <section class="panel stack">
      <h2>{words.groups}</h2>
      <List<SharedGroup>
        label={words.groups}
        path="/shared-groups"
        columns={groupColumns}
        keyOf={({ sharedFilter }) => sharedFilter}
        empty={words.groupsEmpty}
        sort={sort}
        onSort={(by) => ask({ groups: by })}
        everyMs={everyMs}
      />
      {group !== null && <Members sharedFilter={group} />}
    </section>
  )
}

type Member = SharedGroupWithMembers['memberList'][number]

const memberColumns: readonly Column<Member>[] = [
  { name: 'clientId', title: words.memberColumns.clientId, cell: ({ clientId }) => clientLink(clientId) },
  {
    name: 'connected',
    title: words.memberColumns.connected,
    cell: ({ connected }) => (connected ? texts.yes : texts.no),
  },
  { name: 'ready', title: words.memberColumns.ready, cell: ({ ready }) => (ready ? texts.yes : texts.no) },
  { name: 'qos', title: words.memberColumns.qos, isNumber: true, cell: ({ qos }) => qos },
]

function Members({ sharedFilter }: { readonly sharedFilter: string }): JSX.Element {
  const source = useRemote(
    sharedFilter,
    (signal) => get<SharedGroupWithMembers>('/shared-group', { sharedFilter }, signal),
    { everyMs },
  )
  return (
    <Dialog title={plain(sharedFilter)} onClose={() => ask({ group: undefined })}>
      <Shown of={source}>
        {({ memberList }) => (
          <DataTable
            label={words.groupColumns.members}
            columns={memberColumns}
            rows={memberList}
            keyOf={({ clientId }) => clientId}
          />
        )}
      </Shown>
    </Dialog>
  )
}
