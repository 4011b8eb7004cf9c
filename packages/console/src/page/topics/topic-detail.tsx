import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { call } from '../api.js'
import { bytes, clockTime, count, plain, since } from '../format.js'
import { AskingButton } from '../parts/asking-button.js'
import { Choice } from '../parts/fields.js'
import { asProblem } from '../parts/remote.js'
import { State } from '../parts/shown.js'
import { doing, tell } from '../parts/toasts.js'
import { emptyDraft, publish } from '../publication.js'
import { hrefOf } from '../router.js'
import { may } from '../session.js'
import { texts } from '../texts.js'
import type { Form } from './decode.js'
import { shownAt, tree } from './feed.js'
import type { Value } from './topic-tree.js'
import { ValueCurve } from './value-curve.js'
import { ValueEditor } from './value-editor.js'
import { ValueView } from './value-view.js'

const words = texts.topics
const mostBefore = 20

/** A topic: its value, what was before, and what can be done. */
export function TopicDetail({ topic }: { readonly topic: string }): JSX.Element {
  void shownAt.value
  const form = useSignal<Form>('auto')
  const isCompared = useSignal(false)
  const node = tree.find(topic)
  const { last, values = [] } = node ?? {}
  return (
    <>
      <h2 class="mono">{plain(topic)}</h2>
      {!node || !last ? (
        <State picture="empty" title={words.noValue}>
          <p class="muted">{words.noValueMore}</p>
        </State>
      ) : (
        <>
          <p class="row">
            <span class="muted" title={clockTime(last.at)}>
              {words.facts(bytes(last.payload.length), last.qos, texts.ago(since(last.at)))}
            </span>
            {node.isRetained && <span class="badge">{words.retained}</span>}
          </p>
          <div class="tools">
            <Choice
              label={words.form}
              value={form.value}
              of={words.forms}
              onChange={(one) => {
                form.value = one
              }}
            />
            <label class="check">
              <input
                type="checkbox"
                checked={isCompared.value}
                disabled={values.length < 2}
                onChange={({ currentTarget }) => {
                  isCompared.value = currentTarget.checked
                }}
              />
              {words.differences}
            </label>
          </div>
          <ValueView
            topic={topic}
            form={form.value}
            value={last}
            before={isCompared.value ? values.at(-2) : undefined}
          />
          <ValueCurve topic={topic} form={form.value} values={[...values]} />
          <Before values={[...values]} />
          {may('operator') && <ValueEditor topic={topic} last={last} isRetained={node.isRetained} />}
        </>
      )}
      <Deeds topic={topic} isRetained={node?.isRetained === true} />
    </>
  )
}

function Before({ values }: { readonly values: readonly Value[] }): JSX.Element | null {
  if (values.length < 2) return null
  return (
    <details>
      <summary>
        {words.history} ({count(values.length - 1)})
      </summary>
      <ol class="lines">
        {values
          .slice(-mostBefore - 1, -1)
          .toReversed()
          .map(({ at, payload, qos }, n) => (
            <li key={`${at} ${n}`}>
              <time class="muted">{clockTime(at)}</time>
              <span class="mono grow">{plain(new TextDecoder().decode(payload.subarray(0, 200)))}</span>
              <span class="muted">QoS {qos}</span>
            </li>
          ))}
      </ol>
    </details>
  )
}

function Deeds({ topic, isRetained }: { readonly topic: string; readonly isRetained: boolean }): JSX.Element {
  const deleteThis = (): void => {
    void doing(() => publish({ ...emptyDraft, topic, retain: true }), words.retainedDeleted)
  }
  const deleteBelow = async (): Promise<void> => {
    try {
      const query = { filter: `${topic}/#` } // which matches the topic itself too
      const { value } = await call<{ readonly removed: number }>('DELETE', '/retained', { query })
      for (const one of tree.all()) if (`${one.topic}/`.startsWith(`${topic}/`)) one.isRetained = false
      shownAt.value++
      tell(words.deletedBelow(count(value.removed)))
    } catch (error) {
      tell(asProblem(error).message, true)
    }
  }
  return (
    <div class="row">
      <a class="button small" href={hrefOf('subscriptions', { receivers: topic })}>
        {words.receivers}
      </a>
      {isRetained && may('operator') && (
        <AskingButton
          isSmall
          label={words.deleteRetained}
          title={words.deleteRetainedTitle(plain(topic))}
          text={words.deleteRetainedText}
          onConfirm={deleteThis}
        />
      )}
      {may('admin') && (
        <AskingButton
          isSmall
          label={words.deleteBelow}
          title={words.deleteBelowTitle(plain(topic))}
          text={words.deleteBelowText}
          onConfirm={deleteBelow}
        />
      )}
    </div>
  )
}
