import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { AccessAnswer, Action } from '../answers.js'
import { call, type Problem } from '../api.js'
import { plain } from '../format.js'
import { Choice, TextField } from '../parts/fields.js'
import { asProblem } from '../parts/remote.js'
import { Failed } from '../parts/shown.js'
import { ruleInWords } from '../rule-words.js'
import { texts } from '../texts.js'

const words = texts.access

/** May somebody do something, and which rule says so. */
export function Explain(): JSX.Element {
  const asked = useSignal({ username: '', clientId: '', action: 'publish' as Action, topic: '' })
  const answer = useSignal<AccessAnswer | undefined>(undefined)
  const problem = useSignal<Problem | undefined>(undefined)
  const write = (change: Partial<typeof asked.value>): void => {
    asked.value = { ...asked.value, ...change }
    answer.value = undefined
  }
  const ask = async (event: Event): Promise<void> => {
    event.preventDefault()
    const { username, ...rest } = asked.value
    problem.value = undefined
    try {
      const body = { ...rest, ...(username !== '' && { username }) }
      answer.value = (await call<AccessAnswer>('POST', '/access/explain', { body })).value
    } catch (error) {
      problem.value = asProblem(error)
    }
  }
  const { username, clientId, action, topic } = asked.value
  return (
    <section class="panel stack">
      <h2>{words.explain}</h2>
      <form class="stack" onSubmit={(event) => void ask(event)}>
        <div class="form">
          <TextField label={words.explainUser} value={username} onChange={(value) => write({ username: value })} />
          <TextField label={words.explainClient} value={clientId} onChange={(value) => write({ clientId: value })} />
          <Choice
            label={words.explainAction}
            value={action}
            of={words.actions}
            onChange={(one) => write({ action: one })}
          />
          <TextField
            label={words.explainTopic}
            value={topic}
            isMono
            isRequired
            onChange={(value) => write({ topic: value })}
          />
        </div>
        <div class="row">
          <button type="submit" class="button">
            {words.ask}
          </button>
        </div>
      </form>
      <div role="status">
        {problem.value && <Failed problem={problem.value} />}
        {answer.value && <Answer answer={answer.value} />}
      </div>
    </section>
  )
}

function Answer({ answer: { allowed, rule, why } }: { readonly answer: AccessAnswer }): JSX.Element {
  return (
    <p>
      <strong class={allowed ? 'good' : 'bad'}>{allowed ? words.allowed : words.denied}</strong>{' '}
      {rule ? words.by(ruleInWords(rule), plain(rule.where ?? '')) : (why ?? words.byDefault)}
    </p>
  )
}
