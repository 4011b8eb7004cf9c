import type { JSX } from 'preact'
import type { ClusterFacts, ClusterNode, Snapshot } from '../answers.js'
import { call, get } from '../api.js'
import { isBehind, isHere } from '../cluster.js'
import { bytes, count, dateTime, duration, milliseconds, plain, since } from '../format.js'
import { follows, lookProblem, looks } from '../live.js'
import { AskingButton } from '../parts/asking-button.js'
import { type Column, DataTable } from '../parts/data-table.js'
import { Fact } from '../parts/facts.js'
import { Page } from '../parts/page.js'
import { asProblem, useRemote } from '../parts/remote.js'
import { Failed, Loading, Shown, State } from '../parts/shown.js'
import { doing } from '../parts/toasts.js'
import { may } from '../session.js'
import { texts } from '../texts.js'

const words = texts.cluster

/** The cluster that this broker is a node of. */
export function Cluster(): JSX.Element {
  const cluster = looks.value.at(-1)?.broker.cluster
  if (cluster || follows.value) return <Nodes />
  const problem = lookProblem.value
  return (
    <Page title={words.title}>
      {cluster === null ? (
        <State picture="empty" title={words.alone}>
          <p class="muted">{words.aloneMore}</p>
        </State>
      ) : problem ? (
        <Failed problem={asProblem(problem)} />
      ) : (
        <Loading />
      )}
    </Page>
  )
}

function Nodes(): JSX.Element {
  const source = useRemote('', (signal) => get<ClusterFacts>('/cluster', {}, signal), { everyMs: 2_000 })
  const { value } = source.remote.value
  return (
    <Page title={words.title} note={value && words.note(value.cluster, count(value.epoch))}>
      <Shown of={source}>{(found) => <All found={found} />}</Shown>
    </Page>
  )
}

function All({ found }: { readonly found: ClusterFacts }): JSX.Element {
  const { nodes, snapshots, log } = found
  return (
    <div class="stack">
      {found.role !== 'owner' && <Elsewhere found={found} />}
      <Standing found={found} />
      <section class="stack">
        <h2>{words.nodes}</h2>
        <DataTable label={words.nodes} columns={columns} rows={nodes} keyOf={({ node }) => node} />
        {nodes.length === 1 && <p class="warn">{words.nobodyElse}</p>}
      </section>
      <div class="two">
        <section class="panel">
          <h2>{words.log}</h2>
          <dl class="facts">
            <Fact title={words.logEnd}>{words.frame(count(log.last))}</Fact>
            <Fact title={words.logBytes}>
              {log.most === null ? bytes(log.bytes) : words.logOf(bytes(log.bytes), bytes(log.most))}
            </Fact>
            <Fact title={words.written}>
              {words.writtenText(count(found.counters.framesWritten), bytes(found.counters.bytesWritten))}
            </Fact>
            <Fact title={words.acknowledged}>{acknowledgedOf(found)}</Fact>
          </dl>
        </section>
        <Snapshots snapshots={snapshots} />
      </div>
    </div>
  )
}

/** Where what is not here is. */
function Elsewhere({ found: { node, owner, nodes } }: { readonly found: ClusterFacts }): JSX.Element {
  const serves = owner !== null && owner !== node ? owner : undefined
  const url = nodes.find((one) => one.node === serves)?.console ?? null
  return (
    <section class="panel stack">
      <h2>{serves === undefined ? words.nobodyServes : words.serves(plain(serves))}</h2>
      <p>{serves === undefined ? words.nobodyServesMore : words.servesMore}</p>
      {url !== null && (
        <p>
          <a href={url} rel="noreferrer">
            {words.itsConsole(plain(url))}
          </a>
        </p>
      )}
    </section>
  )
}

/** Whether all is well, and what this node is. */
function Standing({ found }: { readonly found: ClusterFacts }): JSX.Element {
  const { node, role, owner, held, silentSeconds, problem, frozen, counters } = found
  return (
    <section class="panel stack">
      <div class="row">
        <h2 class="grow">{words.thisNode(plain(node))}</h2>
        {may('admin') && role === 'owner' && (
          <AskingButton
            label={words.handOver}
            title={words.handOverTitle(plain(node))}
            text={words.handOverText}
            onConfirm={() => doing(() => call('POST', '/cluster/handover'), words.handedOver)}
          />
        )}
      </div>
      {held && <p class="bad">{held === 'silent' ? words.silent(duration(silentSeconds)) : words.full}</p>}
      {problem && <p class="bad">{plain(problem)}</p>}
      {!held && !problem && <p class="good">{words.well}</p>}
      <dl class="facts">
        <Fact title={words.role}>
          <Role role={role} />
        </Fact>
        <Fact title={words.owner}>{owner === null ? texts.none : plain(owner)}</Fact>
        <Fact title={words.takesOver}>{frozen ? words.frozen : words.byItself}</Fact>
        <Fact title={words.times}>{words.timesText(count(counters.claims), count(counters.fenced))}</Fact>
      </dl>
    </section>
  )
}

function Role({ role }: { readonly role: string }): JSX.Element {
  const kind = role === 'owner' ? 'badge good' : role === 'diverged' ? 'badge bad' : 'badge'
  return <span class={kind}>{words.roles[role] ?? plain(role)}</span>
}

function acknowledgedOf({ acknowledged: { half, most } }: ClusterFacts): string {
  return half === null || most === null ? '–' : words.acknowledgedIn(milliseconds(half), milliseconds(most))
}

const columns: readonly Column<ClusterNode>[] = [
  { name: 'node', title: words.columns.node, cell: ({ node }) => <strong>{plain(node)}</strong> },
  {
    name: 'role',
    title: words.columns.role,
    cell: (node) => (isHere(node) ? <Role role={node.role} /> : <span class="badge warn">{words.gone}</span>),
  },
  {
    name: 'behind',
    title: words.columns.behind,
    isNumber: true,
    cell: (node) => <span class={isBehind(node) ? 'warn' : undefined}>{words.frames(count(node.behindFrames))}</span>,
  },
  { name: 'bytes', title: words.columns.bytes, isNumber: true, cell: ({ behindBytes }) => bytes(behindBytes) },
  { name: 'told', title: words.columns.told, cell: ({ toldAt }) => texts.ago(since(toldAt)) },
  {
    name: 'problem',
    title: words.columns.problem,
    cell: ({ problem }) => problem && <span class="bad">{plain(problem)}</span>,
  },
  { name: 'version', title: words.columns.version, cell: ({ version }) => plain(version) },
  { name: 'address', title: words.columns.address, cell: ({ address }) => plain(address ?? '') },
]

function Snapshots({ snapshots }: { readonly snapshots: readonly Snapshot[] }): JSX.Element {
  return (
    <section class="panel">
      <h2>{words.snapshots}</h2>
      {snapshots.length === 0 ? (
        <p class="muted">{words.noSnapshots}</p>
      ) : (
        <ul class="lines">
          {snapshots.map(({ frame, bytes: size, createdAt }) => (
            <li key={frame}>
              {words.snapshot(count(frame), bytes(size), createdAt === null ? '' : dateTime(createdAt))}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
