import { type Signal, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { Problem } from '../api.js'
import { clockTime, plain } from '../format.js'
import { Choice, Field, TextField } from '../parts/fields.js'
import { Page } from '../parts/page.js'
import { Failed, State } from '../parts/shown.js'
import { doing } from '../parts/toasts.js'
import { type Draft, emptyDraft, publish } from '../publication.js'
import { may } from '../session.js'
import { texts } from '../texts.js'

const words = texts.publish
const mostSent = 20

/** What is being written; it stays while one looks at other pages. */
const draft: Signal<Draft> = signal(emptyDraft)
const sent = signal<readonly { readonly at: number; readonly draft: Draft }[]>([])

function write(change: Partial<Draft>): void {
  draft.value = { ...draft.peek(), ...change }
}

/** A message with all that 5.0 can say of it. */
export function Publish(): JSX.Element {
  if (!may('operator')) {
    return (
      <Page title={words.title}>
        <Failed problem={new Problem(403, 'forbidden', '')} />
      </Page>
    )
  }
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    const { value } = draft
    if (!(await doing(() => publish(value), words.sent(plain(value.topic))))) return
    sent.value = [{ at: Date.now(), draft: value }, ...sent.value].slice(0, mostSent)
  }
  return (
    <Page title={words.title} note={words.as}>
      <div class="two">
        <form class="panel stack" onSubmit={(event) => void send(event)}>
          <Message />
          <details>
            <summary>{words.properties}</summary>
            <Properties />
          </details>
          <button type="submit" class="button main">
            {words.send}
          </button>
        </form>
        <Sent />
      </div>
    </Page>
  )
}

function Message(): JSX.Element {
  const { topic, payload, form, qos, retain } = draft.value
  return (
    <>
      <TextField label={words.topic} value={topic} isMono isRequired onChange={(value) => write({ topic: value })} />
      <Field label={words.payload}>
        <textarea
          class="mono"
          rows={7}
          spellcheck={false}
          value={payload}
          onInput={({ currentTarget }) => write({ payload: currentTarget.value })}
        />
      </Field>
      <div class="row">
        <Choice label={words.form} value={form} of={words.forms} onChange={(one) => write({ form: one })} />
        <Choice
          label={words.qos}
          value={`${qos}`}
          of={{ 0: '0', 1: '1', 2: '2' }}
          onChange={(level) => write({ qos: Number(level) as Draft['qos'] })}
        />
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={retain}
          onChange={({ currentTarget }) => write({ retain: currentTarget.checked })}
        />
        {words.retain}
      </label>
    </>
  )
}

function Properties(): JSX.Element {
  const { contentType, responseTopic, correlationData, expiry, isUtf8, userProperties } = draft.value
  return (
    <div class="form">
      <TextField label={words.contentType} value={contentType} onChange={(value) => write({ contentType: value })} />
      <TextField
        label={words.responseTopic}
        value={responseTopic}
        isMono
        onChange={(value) => write({ responseTopic: value })}
      />
      <TextField
        label={words.correlationData}
        value={correlationData}
        isMono
        onChange={(value) => write({ correlationData: value })}
      />
      <Field label={words.expiry}>
        <input
          type="number"
          min="0"
          max="4294967295"
          step="1"
          value={expiry}
          onInput={({ currentTarget }) => write({ expiry: currentTarget.value })}
        />
      </Field>
      <label class="check wide">
        <input
          type="checkbox"
          checked={isUtf8}
          onChange={({ currentTarget }) => write({ isUtf8: currentTarget.checked })}
        />
        {words.utf8}
      </label>
      <label class="field wide">
        <span>{words.userProperties}</span>
        <textarea
          class="mono"
          rows={3}
          value={userProperties}
          onInput={({ currentTarget }) => write({ userProperties: currentTarget.value })}
        />
      </label>
    </div>
  )
}

function Sent(): JSX.Element {
  return (
    <section class="panel">
      <h2>{words.history}</h2>
      {sent.value.length === 0 ? (
        <State picture="empty" title={words.historyEmpty} />
      ) : (
        <ul class="lines">
          {sent.value.map(({ at, draft: one }) => (
            <li key={at}>
              <time class="muted">{clockTime(at)}</time>
              <span class="grow mono">{plain(one.topic)}</span>
              <span class="muted">
                {words.qos} {one.qos}
              </span>
              <button
                type="button"
                class="button small"
                onClick={() => {
                  draft.value = one
                }}
              >
                {words.again}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
