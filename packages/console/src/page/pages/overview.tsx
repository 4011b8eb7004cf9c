import type { ComponentChildren, JSX } from 'preact'
import type { ClusterFacts, History } from '../answers.js'
import { get } from '../api.js'
import { attentionTo } from '../attention.js'
import { isHere } from '../cluster.js'
import { type CurveName, curvesOfHistory, curvesOfPoints } from '../curves.js'
import { bytes, clockTime, count, dateTime, duration, milliseconds, plain, since } from '../format.js'
import { type Look, lookProblem, looks, sum } from '../live.js'
import { news, points } from '../news.js'
import { Curve, type Series } from '../parts/curve.js'
import { Page } from '../parts/page.js'
import { asProblem, useRemote } from '../parts/remote.js'
import { Failed, Loading } from '../parts/shown.js'
import { ask, hrefOf, place } from '../router.js'
import { texts } from '../texts.js'

const words = texts.overview
const mostLately = 12
const spans = ['minutes', 'hour', 'day'] as const

/** What the broker does now. */
export function Overview(): JSX.Element {
  const now = looks.value.at(-1)
  return (
    <Page title={words.title} note={now && words.up(now.broker.version, duration(now.broker.uptimeSeconds))}>
      {now ? <Now now={now} /> : lookProblem.value ? <Failed problem={asProblem(lookProblem.value)} /> : <Loading />}
    </Page>
  )
}

function Now({ now }: { readonly now: Look }): JSX.Element {
  return (
    <div class="stack">
      <AttentionList now={now} />
      <Cards now={now} />
      <div class="two">
        <Facts now={now} />
        {now.cluster && <ClusterCard cluster={now.cluster} />}
        <Lately />
      </div>
    </div>
  )
}

function AttentionList({ now }: { readonly now: Look }): JSX.Element {
  const list = attentionTo(now)
  return (
    <section aria-labelledby="attention">
      <h2 id="attention" class={list.length === 0 ? 'hidden' : undefined}>
        {texts.overview.attention}
      </h2>
      {list.length === 0 ? (
        <p class="good">{words.calm}</p>
      ) : (
        <ul class="attention">
          {list.map(({ id, isBad, title, todo }) => (
            <li key={id} class={isBad ? 'bad' : undefined}>
              <strong>{title}</strong>
              <span>{todo}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Cards({ now }: { readonly now: Look }): JSX.Element {
  const { broker, counters } = now
  const span = spans.find((one) => one === place.value.query.get('span')) ?? 'minutes'
  const history = useRemote(
    span,
    async (signal) => (span === 'minutes' ? undefined : get<History>('/history', { span }, signal)),
    { everyMs: 10_000 },
  )
  const { value } = history.remote.value
  const lately = curvesOfPoints(points.value)
  const curves = value && span !== 'minutes' ? curvesOfHistory(value) : lately
  const last = (name: CurveName, at = 0): number => lately[name][at]?.values.at(-1) ?? 0
  const latency = (name: 'commit' | 'loop'): string => {
    const found = lately[name][0]?.values.findLast((one) => one !== null)
    return found == null ? '–' : milliseconds(found)
  }
  const latest = points.value.at(-1)
  const clients = typeof latest?.clients === 'number' ? latest.clients : broker.clients
  const queued = typeof latest?.queuedMessages === 'number' ? latest.queuedMessages : counters.queued.messages
  const byQos = (name: 'in' | 'out'): string =>
    words.byQos(count(last(name, 0)), count(last(name, 1)), count(last(name, 2)))
  const cards: readonly (readonly [CurveName, string, string, string])[] = [
    ['clients', words.clients, count(clients), words.sessions(count(broker.sessions))],
    ['in', words.in, perSecond(last('in', 0) + last('in', 1) + last('in', 2)), byQos('in')],
    ['out', words.out, perSecond(last('out', 0) + last('out', 1) + last('out', 2)), byQos('out')],
    ['queued', words.queued, count(queued), words.queuedBytes(bytes(counters.queued.bytes))],
    ['dropped', words.dropped, perSecond(last('dropped')), words.droppedSince(count(sum(counters.dropped)))],
    ['commit', words.commit, latency('commit'), words.commitMore],
    ['loop', words.loop, latency('loop'), words.loopMore],
    [
      'bytes',
      words.bytes,
      texts.perSecond(bytes(last('bytes', 0) + last('bytes', 1))),
      words.bytesBoth(bytes(last('bytes', 0)), bytes(last('bytes', 1))),
    ],
  ]
  return (
    <section class="stack" aria-label={words.curves}>
      <div class="row">
        <label class="row">
          <span class="muted">{words.range}</span>
          <select value={span} onChange={({ currentTarget }) => ask({ span: currentTarget.value })}>
            {spans.map((one) => (
              <option key={one} value={one}>
                {words.ranges[one]}
              </option>
            ))}
          </select>
        </label>
        {history.remote.value.problem && <span class="warn">{history.remote.value.problem.message}</span>}
      </div>
      <div class="cards">
        {cards.map(([name, title, figure, more]) => (
          <Card key={name} name={title} value={figure} more={more} times={curves.times} series={curves[name]} />
        ))}
      </div>
    </section>
  )
}

function perSecond(value: number): string {
  return texts.perSecond(count(value))
}

interface CardProps {
  readonly name: string
  readonly value: string
  readonly more: string
  readonly times: readonly number[]
  readonly series: readonly Series[]
}

function Card({ name, value, more, times, series }: CardProps): JSX.Element {
  return (
    <section class="panel card" aria-label={name}>
      <span class="name">{name}</span>
      <span class="value">{value}</span>
      <span class="more">{more}</span>
      <Curve label={`${name}: ${value}`} times={times} series={series} format={count} />
    </section>
  )
}

function Facts({ now: { broker, counters } }: { readonly now: Look }): JSX.Element {
  const { recovered, waiting, stored } = broker
  return (
    <section class="panel">
      <h2>{words.facts}</h2>
      <dl class="facts">
        <Fact name={words.listeners}>{broker.listeners.join(', ') || texts.none}</Fact>
        <Fact name={words.started}>
          {dateTime(broker.startedAt)} ({texts.ago(since(broker.startedAt))})
        </Fact>
        <Fact name={words.ready}>{broker.ready ? texts.yes : texts.no}</Fact>
        <Fact name={words.subscriptions}>{count(broker.subscriptions)}</Fact>
        <Fact name={words.retained}>
          {count(broker.retained)} ({words.waiting(bytes(broker.retainedBytes))})
        </Fact>
        <Fact name={words.queued}>
          {bytes(waiting.bytes)}, {words.stored(bytes(stored.bytes))}
        </Fact>
        {counters.store.freeBytes > 0 && (
          <Fact name={words.disk}>
            {bytes(counters.store.freeBytes)} {words.diskMore(bytes(counters.store.reserveBytes))}
          </Fact>
        )}
        <Fact name={words.recovered}>
          {words.recoveredText(count(recovered.sessions), count(recovered.retained), count(recovered.queued))}
        </Fact>
        {broker.tlsExpiresAt !== null && <Fact name={words.tls}>{dateTime(broker.tlsExpiresAt)}</Fact>}
      </dl>
    </section>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}

/** Who serves, and who would. */
function ClusterCard({
  cluster: { cluster, node, owner, epoch, nodes },
}: {
  readonly cluster: ClusterFacts
}): JSX.Element {
  return (
    <section class="panel">
      <h2>
        <a href={hrefOf('cluster')}>{words.cluster(plain(cluster))}</a>
      </h2>
      <dl class="facts">
        <Fact name={texts.cluster.owner}>
          {owner === null ? texts.none : plain(owner)}
          {owner === node && ` (${words.thisBroker})`}, {words.epoch(count(epoch))}
        </Fact>
        {nodes
          .filter((one) => one.node !== owner)
          .map((one) => (
            <Fact key={one.node} name={plain(one.node)}>
              {isHere(one)
                ? `${texts.cluster.roles[one.role] ?? plain(one.role)}, ${words.behind(count(one.behindFrames))}`
                : texts.cluster.gone}
            </Fact>
          ))}
      </dl>
    </section>
  )
}

/** What has changed, the newest first. */
function Lately(): JSX.Element {
  return (
    <section class="panel">
      <h2>{words.lately}</h2>
      {news.value.length === 0 ? (
        <p class="muted">{words.quiet}</p>
      ) : (
        <ul class="lines">
          {news.value.slice(0, mostLately).map(({ id, at, type, clientId = '', filter = '' }) => (
            <li key={id}>
              <time class="muted">{clockTime(at)}</time>
              <span>{words.changes[type]?.(plain(clientId), plain(filter)) ?? type}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
