import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { MessageProperties, RetainedMessage } from '../answers.js'
import { call, get } from '../api.js'
import { bytesOfBase64 } from '../bytes.js'
import { bytes, count, dateTime, plain, since, until } from '../format.js'
import { AskingButton } from '../parts/asking-button.js'
import type { Column } from '../parts/data-table.js'
import { Dialog } from '../parts/dialog.js'
import { Fact, Facts } from '../parts/facts.js'
import { Choice } from '../parts/fields.js'
import { useList } from '../parts/list-page.js'
import { Page } from '../parts/page.js'
import { asProblem, useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { doing, tell } from '../parts/toasts.js'
import { Search } from '../parts/tools.js'
import { emptyDraft, publish } from '../publication.js'
import { ask, hrefOf, place } from '../router.js'
import { may } from '../session.js'
import { texts } from '../texts.js'
import type { Value } from '../topics/topic-tree.js'
import { ValueEditor } from '../topics/value-editor.js'
import { ValueView } from '../topics/value-view.js'

const words = texts.retained
const everyMs = 5_000

const orders: Readonly<Record<string, string>> = {
  '': words.presets.name,
  '-payloadBytes': words.presets.largest,
  publishedAt: words.presets.oldest,
  '-publishedAt': words.presets.newest,
  expiresAt: words.presets.next,
}

const columns: readonly Column<RetainedMessage>[] = [
  {
    name: 'topic',
    title: words.columns.topic,
    cell: ({ topic }) => (
      <button type="button" class="linkish mono" onClick={() => ask({ topic })}>
        {plain(topic)}
      </button>
    ),
  },
  {
    name: 'size',
    title: words.columns.size,
    sort: 'payloadBytes',
    isNumber: true,
    cell: ({ payloadBytes }) => bytes(payloadBytes),
  },
  { name: 'qos', title: words.columns.qos, isNumber: true, cell: ({ qos }) => qos },
  {
    name: 'publishedAt',
    title: words.columns.publishedAt,
    sort: 'publishedAt',
    cell: ({ publishedAt }) =>
      publishedAt === null ? words.unknown : <span title={dateTime(publishedAt)}>{since(publishedAt)}</span>,
  },
  {
    name: 'expiresAt',
    title: words.columns.expiresAt,
    sort: 'expiresAt',
    cell: ({ expiresAt }) =>
      expiresAt === null ? texts.never : <span title={dateTime(expiresAt)}>{texts.in(until(expiresAt))}</span>,
  },
  {
    name: 'publisher',
    title: words.columns.publisher,
    sort: 'publisher',
    cell: ({ publisher }) =>
      publisher === '' ? <span class="muted">{words.thisBroker}</span> : <span class="mono">{plain(publisher)}</span>,
  },
]

/** What is kept for those who subscribe later. */
export function Retained(): JSX.Element {
  const { query } = place.value
  const filter = query.get('filter') ?? ''
  const sort = query.get('sort') ?? ''
  const topic = query.get('topic')
  const { source, list } = useList<RetainedMessage>({
    label: words.title,
    path: '/retained',
    query: { filter: filter || undefined },
    columns,
    keyOf: (message) => message.topic,
    empty: filter === '' ? words.empty : words.emptyFilter,
    sort,
    onSort: (by) => ask({ sort: by }),
    everyMs,
  })
  const deleteAll = async (): Promise<void> => {
    try {
      const { value } = await call<{ readonly removed: number }>('DELETE', '/retained', { query: { filter } })
      tell(texts.topics.deletedBelow(count(value.removed)))
    } catch (error) {
      tell(asProblem(error).message, true)
    }
    source.reload()
  }
  return (
    <Page title={words.title} note={words.note}>
      <div class="stack">
        <div class="tools">
          <Search label={words.filter} value={filter} onChange={(text) => ask({ filter: text })} />
          <Choice
            label={words.order}
            value={sort in orders ? sort : ''}
            of={orders}
            onChange={(by) => ask({ sort: by })}
          />
          {may('admin') && (
            <AskingButton
              label={words.deleteAll}
              hint={filter === '' ? words.deleteAllFirst : undefined}
              isDisabled={filter === ''}
              title={words.deleteAllTitle(plain(filter))}
              text={words.deleteAllText}
              onConfirm={deleteAll}
            />
          )}
        </div>
        {list(source)}
      </div>
      {topic !== null && <Detail key={topic} topic={topic} onChanged={source.reload} />}
    </Page>
  )
}

interface DetailProps {
  readonly topic: string
  readonly onChanged: () => void
}

function Detail({ topic, onChanged }: DetailProps): JSX.Element {
  const query = { topic, payloads: may('operator') || undefined }
  const source = useRemote(topic, (signal) => get<RetainedMessage>('/retained/message', query, signal))
  const close = (): void => ask({ topic: undefined })
  const remove = async (): Promise<void> => {
    const empty = { ...emptyDraft, topic, retain: true }
    if (!(await doing(() => publish(empty), texts.topics.retainedDeleted))) return
    close()
    onChanged()
  }
  const isGone = source.remote.value.problem?.status === 404
  return (
    <Dialog title={`${words.detail} ${plain(topic)}`} onClose={close}>
      {isGone ? (
        <State picture="empty" title={words.gone} />
      ) : (
        <Shown of={source}>
          {(message) => (
            <ShownMessage
              message={message}
              onPublished={() => {
                source.reload()
                onChanged()
              }}
            />
          )}
        </Shown>
      )}
      <div class="buttons">
        <a class="button" href={hrefOf('topics', { topic, search: topic })}>
          {words.explore}
        </a>
        <a class="button" href={hrefOf('subscriptions', { receivers: topic })}>
          {texts.topics.receivers}
        </a>
        {may('operator') && !isGone && (
          <AskingButton
            label={words.delete}
            title={texts.topics.deleteRetainedTitle(plain(topic))}
            text={texts.topics.deleteRetainedText}
            onConfirm={remove}
          />
        )}
      </div>
    </Dialog>
  )
}

interface ShownMessageProps {
  readonly message: RetainedMessage
  readonly onPublished: () => void
}

function ShownMessage({ message, onPublished }: ShownMessageProps): JSX.Element {
  const { topic, qos, payload, properties, publishedAt } = message
  const value = useMemo(
    (): Value | undefined =>
      payload === undefined
        ? undefined
        : { at: 0, payload: bytesOfBase64(payload), qos, retain: true, contentType: properties?.contentType },
    [payload, qos, properties?.contentType],
  )
  return (
    <>
      <Facts columns={columns} row={message}>
        {properties && (
          <Fact title={words.properties}>
            <span class="mono">{inWords(properties)}</span>
          </Fact>
        )}
      </Facts>
      {value ? (
        <>
          <ValueView key={`${publishedAt} ${payload}`} topic={topic} form="auto" value={value} before={undefined} />
          <ValueEditor
            topic={topic}
            last={value}
            isRetained
            {...(properties && { properties })}
            onPublished={onPublished}
          />
        </>
      ) : (
        <p class="muted">{words.notShown}</p>
      )}
    </>
  )
}

function inWords(properties: MessageProperties): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${plain(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join(' ')
}
