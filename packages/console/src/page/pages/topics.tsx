import { useComputed, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { Problem } from '../api.js'
import { count } from '../format.js'
import { Page } from '../parts/page.js'
import { Failed, Loading, State } from '../parts/shown.js'
import { Pause, Search } from '../parts/tools.js'
import { ask, place } from '../router.js'
import { may } from '../session.js'
import { texts } from '../texts.js'
import { again, feedProblem, feedState, isPaused, look, missed, shownAt, tree, withSystem } from '../topics/feed.js'
import { TopicDetail } from '../topics/topic-detail.js'
import { TreeView } from '../topics/tree-view.js'

const words = texts.topics

/** Where the messages go: a live tree of topics. */
export function Topics(): JSX.Element {
  return (
    <Page title={words.title} note={<FeedNote />}>
      {may('operator') ? <Live /> : <Failed problem={new Problem(403, 'forbidden', '')} />}
    </Page>
  )
}

function FeedNote(): JSX.Element {
  void shownAt.value
  return <>{words.count(count(tree.topics), count(tree.root.messages))}</>
}

function Live(): JSX.Element {
  useEffect(look, [])
  const { query } = place.value
  const search = query.get('search') ?? ''
  const topic = query.get('topic')
  const isWaiting = useComputed(() => shownAt.value === 0 && feedState.value === 'connecting')
  return (
    <div class="stack">
      <div class="tools">
        <Search label={words.search} value={search} onChange={(text) => ask({ search: text })} />
        <FeedTools />
      </div>
      <FeedNotes />
      {feedState.value === 'refused' ? (
        <State picture="failed" title={words.states.refused}>
          <p class="muted">{feedProblem.value}</p>
          <button type="button" class="button" onClick={() => void again()}>
            {texts.state.again}
          </button>
        </State>
      ) : isWaiting.value ? (
        <Loading />
      ) : (
        <div class="explorer">
          <TreeView search={search} chosen={topic} onChoose={(one) => ask({ topic: one })} />
          <section class="panel stack detail" aria-label={words.choose}>
            {topic === null ? (
              <State picture="empty" title={words.choose}>
                <p class="muted">{words.chooseMore}</p>
              </State>
            ) : (
              <TopicDetail key={topic} topic={topic} />
            )}
          </section>
        </div>
      )}
    </div>
  )
}

function FeedTools(): JSX.Element {
  const state = feedState.value
  return (
    <>
      <label class="check">
        <input
          type="checkbox"
          checked={withSystem.value}
          onChange={({ currentTarget }) => {
            withSystem.value = currentTarget.checked
            void again()
          }}
        />
        {words.system}
      </label>
      <span class={state === 'connected' ? 'badge good' : 'badge warn'} role="status" title={feedProblem.value}>
        {words.states[state]}
      </span>
      <Pause
        isPaused={isPaused.value}
        onChange={() => {
          isPaused.value = !isPaused.value
          if (!isPaused.value) missed.value = 0
        }}
      />
      <button type="button" class="button" onClick={() => void again()}>
        {words.again}
      </button>
    </>
  )
}

function FeedNotes(): JSX.Element {
  const passed = useSignal(0)
  useEffect(() => {
    const timer = setInterval(() => {
      passed.value = missed.value
    }, 500)
    return () => clearInterval(timer)
  }, [passed])
  void shownAt.value
  const { values, topics } = tree.dropped
  return (
    <>
      {isPaused.value && <p class="warn">{words.paused(count(passed.value))}</p>}
      {topics > 0 ? (
        <p class="warn">{words.droppedTopics(count(topics))}</p>
      ) : (
        values > 0 && <p class="muted">{words.droppedValues(count(values))}</p>
      )}
    </>
  )
}
