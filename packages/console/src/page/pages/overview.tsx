import type { ComponentChildren, JSX } from 'preact'
import { attentionTo } from '../attention.js'
import { bytes, count, dateTime, duration, milliseconds, since } from '../format.js'
import { grownIn, type Look, lookProblem, looks, meanIn, rates, sum } from '../live.js'
import { Curve, type Series } from '../parts/curve.js'
import { Page } from '../parts/page.js'
import { asProblem } from '../parts/remote.js'
import { Failed, Loading } from '../parts/shown.js'
import { texts } from '../texts.js'

const words = texts.overview
const lateMs = 10_000

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
      <Facts now={now} />
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

function Cards({ now: { broker, counters } }: { readonly now: Look }): JSX.Element {
  const ofQos = (pick: (look: Look) => readonly number[]): Series[] =>
    [0, 1, 2].map((qos) => ({ name: `QoS ${qos}`, values: rates((one) => pickOf(one, pick)[qos] ?? 0) }))
  const received = ofQos(({ counters: one }) => one.publishReceivedByQos)
  const sent = ofQos(({ counters: one }) => one.publishSentByQos)
  const dropped = rates(({ dropped: one }) => sum(one))
  const commit = meanIn(lateMs, ({ commits }) => commits.latency)
  const bytesIn = rates(({ plain }) => plain.bytesReceived ?? 0)
  const bytesOut = rates(({ plain }) => plain.bytesSent ?? 0)
  const gauge = (of: (look: Look) => number): Series => ({ name: '', values: looks.value.map(of) })
  return (
    <div class="cards">
      <Card
        name={words.clients}
        value={count(broker.clients)}
        more={words.sessions(count(broker.sessions))}
        series={[gauge((look) => look.broker.clients)]}
      />
      <Card name={words.in} value={perSecond(total(received))} more={byQos(received)} series={received} />
      <Card name={words.out} value={perSecond(total(sent))} more={byQos(sent)} series={sent} />
      <Card
        name={words.queued}
        value={count(counters.queued.messages)}
        more={words.queuedBytes(bytes(counters.queued.bytes))}
        series={[gauge((look) => look.counters.queued.messages)]}
      />
      <Card
        name={words.dropped}
        value={perSecond(dropped.at(-1) ?? 0)}
        more={words.droppedSince(count(sum(counters.dropped)))}
        series={[{ name: '', values: dropped }]}
      />
      <Card
        name={words.commit}
        value={commit === null ? '–' : milliseconds(commit)}
        more={words.commitMore}
        series={[{ name: '', values: commitCurve() }]}
      />
      <Card name={words.bytesIn} value={`${bytes(bytesIn.at(-1) ?? 0)}/s`} series={[{ name: '', values: bytesIn }]} />
      <Card
        name={words.bytesOut}
        value={`${bytes(bytesOut.at(-1) ?? 0)}/s`}
        series={[{ name: '', values: bytesOut }]}
      />
    </div>
  )
}

function pickOf(counters: Look['counters'], pick: (look: Look) => readonly number[]): readonly number[] {
  return pick({ counters } as Look)
}

function commitCurve(): (number | null)[] {
  const spent = rates(({ commits }) => commits.latency.sum)
  const made = rates(({ commits }) => commits.latency.count)
  return spent.map((value, at) => (value !== null && made[at] ? value / made[at] : null))
}

function total(series: readonly Series[]): number {
  return series.reduce((all, { values }) => all + (values.at(-1) ?? 0), 0)
}

function perSecond(value: number): string {
  return texts.perSecond(count(value))
}

function byQos(series: readonly Series[]): string {
  const [zero, one, two] = series.map(({ values }) => count(values.at(-1) ?? 0))
  return words.byQos(zero!, one!, two!)
}

interface CardProps {
  readonly name: string
  readonly value: string
  readonly more?: string
  readonly series: readonly Series[]
}

function Card({ name, value, more, series }: CardProps): JSX.Element {
  const times = looks.value.map(({ at }) => at / 1_000)
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
        <Fact name={words.dropped}>
          {words.droppedSince(count(grownIn(Number.POSITIVE_INFINITY, ({ dropped }) => sum(dropped))))}
        </Fact>
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
