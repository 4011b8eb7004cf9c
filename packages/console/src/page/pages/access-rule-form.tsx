import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { Action, Rule } from '../answers.js'
import { Dialog } from '../parts/dialog.js'
import { Choice, TextField } from '../parts/fields.js'
import { listOf } from '../rule-words.js'
import { texts } from '../texts.js'

const words = texts.access
const actions: readonly Action[] = ['publish', 'subscribe', 'receive']

/** What is edited: a rule in its place, or a new one. */
export interface Edited {
  readonly at: number | undefined
  readonly rule: Rule | undefined
  readonly isNew: boolean
}

interface RuleFormProps {
  readonly edited: Edited
  readonly onSave: (rule: Rule, at: number | undefined, isNew: boolean) => Promise<void>
  readonly onClose: () => void
}

interface Draft {
  readonly allows: boolean
  readonly actions: readonly Action[]
  readonly filter: string
  readonly users: string
  readonly clients: string
  readonly anonymous: boolean
  readonly at: string
}

/** A rule as a form. */
export function RuleForm({ edited: { at, rule, isNew }, onSave, onClose }: RuleFormProps): JSX.Element {
  const draft = useSignal<Draft>(draftOf(rule, at))
  const write = (change: Partial<Draft>): void => {
    draft.value = { ...draft.value, ...change }
  }
  const save = (event: Event): void => {
    event.preventDefault()
    const { value } = draft
    const place = isNew ? (value.at === '' ? undefined : Number(value.at)) : at
    void onSave(ruleOf(value, rule), place, isNew)
  }
  const { allows, filter, users, clients, anonymous } = draft.value
  return (
    <Dialog title={isNew ? words.addRule : words.editRule(at!)} onClose={onClose}>
      <form class="stack" onSubmit={save}>
        <div class="row">
          <Choice
            label={words.decision}
            value={allows ? 'allow' : 'deny'}
            of={{ allow: words.allow, deny: words.deny }}
            onChange={(one) => write({ allows: one === 'allow' })}
          />
          {actions.map((action) => (
            <label key={action} class="check">
              <input
                type="checkbox"
                checked={draft.value.actions.includes(action)}
                onChange={({ currentTarget }) =>
                  write({
                    actions: actions.filter((one) =>
                      one === action ? currentTarget.checked : draft.value.actions.includes(one),
                    ),
                  })
                }
              />
              {words.actions[action]}
            </label>
          ))}
        </div>
        <div class="form">
          <TextField
            label={words.filter}
            value={filter}
            isMono
            isRequired
            hint={words.filterHint}
            onChange={(value) => write({ filter: value })}
          />
          {isNew && (
            <TextField
              label={words.place}
              type="number"
              value={draft.value.at}
              onChange={(value) => write({ at: value })}
            />
          )}
          <TextField label={words.userList} value={users} onChange={(value) => write({ users: value })} />
          <TextField label={words.clientList} value={clients} onChange={(value) => write({ clients: value })} />
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={anonymous}
            onChange={({ currentTarget }) => write({ anonymous: currentTarget.checked })}
          />
          {words.onlyAnonymous}
        </label>
        <div class="buttons">
          <button type="button" class="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="button main">
            {words.save}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

function draftOf(rule: Rule | undefined, at: number | undefined): Draft {
  return {
    allows: rule?.deny === undefined,
    actions: rule ? listOf(rule.allow ?? rule.deny) : ['publish'],
    filter: rule?.filter ?? '',
    users: listOf(rule?.user).join(', '),
    clients: listOf(rule?.client).join(', '),
    anonymous: rule?.anonymous ?? false,
    at: at === undefined ? '' : String(at),
  }
}

/** What the form does not show stays as it was. */
function ruleOf(draft: Draft, { matching }: Partial<Rule> = {}): Rule {
  const { allows, filter, anonymous } = draft
  const namesIn = (text: string): readonly string[] =>
    text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
  const [users, clients] = [namesIn(draft.users), namesIn(draft.clients)]
  return {
    [allows ? 'allow' : 'deny']: draft.actions,
    filter,
    ...(users.length > 0 && { user: users }),
    ...(clients.length > 0 && { client: clients }),
    ...(anonymous && { anonymous }),
    ...(matching && { matching }),
  }
}
