import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { Rule } from '../answers.js'
import { call, type Problem } from '../api.js'
import { plain } from '../format.js'
import { AskingButton } from '../parts/asking-button.js'
import { type Column, DataTable } from '../parts/data-table.js'
import { asProblem, useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { tell } from '../parts/toasts.js'
import { decisionInWords, whomInWords } from '../rule-words.js'
import { may } from '../session.js'
import { texts } from '../texts.js'
import { type Edited, RuleForm } from './access-rule-form.js'

const words = texts.access

interface Placed {
  readonly at: number
  readonly rule: Rule
}

/** The access rules, in their order. */
export function RuleList(): JSX.Element {
  const source = useRemote('', async (signal) => {
    const { value, etag } = await call<{ readonly rules: readonly Rule[] }>('GET', '/rules', { signal })
    return { rules: value.rules, etag }
  })
  const editing = useSignal<Edited | undefined>(undefined)
  const etag = (): string | undefined => source.remote.value.value?.etag
  const edit = async (work: () => Promise<unknown>, done: string): Promise<boolean> => {
    try {
      await work()
      tell(done)
      source.reload()
      return true
    } catch (error) {
      const problem: Problem = asProblem(error)
      tell(problem.code === 'edit-conflict' ? words.conflict : problem.message, true)
      if (problem.code === 'edit-conflict') source.reload()
      return false
    }
  }
  const save = async (rule: Rule, at: number | undefined, isNew: boolean): Promise<void> => {
    const saved = await edit(
      () => call(isNew ? 'POST' : 'PUT', isNew ? '/rules' : '/rule', { query: { at }, body: rule, etag: etag() }),
      words.saved,
    )
    if (saved) editing.value = undefined
  }
  const remove = (at: number): void => {
    void edit(() => call('DELETE', '/rule', { query: { at }, etag: etag() }), words.ruleRemoved)
  }
  const columns = columnsOf((one) => {
    editing.value = { ...one, isNew: false }
  }, remove)
  return (
    <section class="panel stack">
      <div class="row">
        <h2 class="grow">{words.rules}</h2>
        {may('admin') && (
          <button
            type="button"
            class="button"
            onClick={() => {
              editing.value = { at: undefined, rule: undefined, isNew: true }
            }}
          >
            {words.addRule}
          </button>
        )}
      </div>
      <p class="muted">{words.rulesNote}</p>
      <Shown of={source}>
        {({ rules }) =>
          rules.length === 0 ? (
            <State picture="empty" title={texts.state.nothing}>
              <p class="muted">{words.rulesEmpty}</p>
            </State>
          ) : (
            <DataTable
              label={words.rules}
              columns={columns}
              rows={rules.map((rule, at) => ({ at, rule }))}
              keyOf={({ at }) => String(at)}
            />
          )
        }
      </Shown>
      {editing.value && (
        <RuleForm
          edited={editing.value}
          onSave={save}
          onClose={() => {
            editing.value = undefined
          }}
        />
      )}
    </section>
  )
}

function columnsOf(onEdit: (one: Placed) => void, onRemove: (at: number) => void): readonly Column<Placed>[] {
  return [
    { name: 'at', title: words.ruleColumns.at, isNumber: true, cell: ({ at }) => at },
    {
      name: 'what',
      title: words.ruleColumns.what,
      cell: ({ rule }) => <span class={rule.allow ? 'good' : 'bad'}>{decisionInWords(rule)}</span>,
    },
    {
      name: 'filter',
      title: words.ruleColumns.filter,
      cell: ({ rule }) => <span class="mono">{plain(rule.filter)}</span>,
    },
    { name: 'whom', title: words.ruleColumns.whom, cell: ({ rule }) => whomInWords(rule) },
    {
      name: 'actions',
      title: words.ruleColumns.actions,
      isNumber: true,
      cell: (one) =>
        may('admin') && (
          <span class="row end">
            <button
              type="button"
              class="button small"
              aria-label={`${words.edit} ${one.at}`}
              onClick={() => onEdit(one)}
            >
              {words.edit}
            </button>
            <AskingButton
              isSmall
              label={words.remove}
              name={`${words.remove} ${one.at}`}
              title={words.removeRuleTitle(one.at)}
              text={words.removeRuleText}
              onConfirm={() => onRemove(one.at)}
            />
          </span>
        ),
    },
  ]
}
