import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { plain } from '../format.js'
import { doing } from '../parts/toasts.js'
import { emptyDraft, publish } from '../publication.js'
import { texts } from '../texts.js'
import { hexOf } from './decoders/decoded.js'
import type { Value } from './topic-tree.js'

const words = texts.topics

interface ValueEditorProps {
  readonly topic: string
  readonly last: Value
  readonly isRetained: boolean
  /** It goes out with these. Default: none. */
  readonly properties?: object
  readonly onPublished?: () => void
}

interface Edited {
  readonly payload: string
  readonly isHex: boolean
  readonly retain: boolean
}

function textOf(payload: Uint8Array): Pick<Edited, 'payload' | 'isHex'> {
  try {
    return { payload: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload), isHex: false }
  } catch {
    return { payload: hexOf(payload), isHex: true }
  }
}

/** Publishes another value to a topic, from the one that it has. */
export function ValueEditor({ topic, last, isRetained, properties, onPublished }: ValueEditorProps): JSX.Element {
  const edited = useSignal<Edited | undefined>(undefined)
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    const { payload, isHex, retain } = edited.value!
    const draft = {
      ...emptyDraft,
      topic,
      payload,
      form: isHex ? 'hex' : 'text',
      qos: last.qos as 0 | 1 | 2,
      retain,
    } as const
    if (!(await doing(() => publish(draft, properties), texts.publish.sent(plain(topic))))) return
    edited.value = undefined
    onPublished?.()
  }
  const { value } = edited
  if (!value) {
    return (
      <div class="row">
        <button
          type="button"
          class="button small"
          onClick={() => {
            edited.value = { ...textOf(last.payload), retain: isRetained }
          }}
        >
          {words.edit}
        </button>
      </div>
    )
  }
  return (
    <form class="stack" onSubmit={(event) => void send(event)}>
      <label class="field">
        <span>{value.isHex ? texts.publish.forms.hex : texts.publish.payload}</span>
        <textarea
          class="mono"
          rows={5}
          spellcheck={false}
          value={value.payload}
          onInput={({ currentTarget }) => {
            edited.value = { ...value, payload: currentTarget.value }
          }}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={value.retain}
          onChange={({ currentTarget }) => {
            edited.value = { ...value, retain: currentTarget.checked }
          }}
        />
        {texts.publish.retain}
      </label>
      <div class="row">
        <button type="submit" class="button main">
          {words.editSend}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            edited.value = undefined
          }}
        >
          {texts.cancel}
        </button>
      </div>
    </form>
  )
}
