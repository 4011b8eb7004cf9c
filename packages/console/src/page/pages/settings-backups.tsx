import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { Backup } from '../answers.js'
import { call, get, urlOf } from '../api.js'
import { bytes, dateTime } from '../format.js'
import { AskingButton } from '../parts/asking-button.js'
import { type Column, DataTable } from '../parts/data-table.js'
import { asProblem, useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { doing, tell } from '../parts/toasts.js'
import { texts } from '../texts.js'

const words = texts.settings
/** A copy takes its time. */
const patienceMs = 15 * 60_000

/** Copies of the data. */
export function BackupList(): JSX.Element {
  const source = useRemote(
    '',
    async (signal) => (await get<{ readonly backups: readonly Backup[] }>('/backups', {}, signal)).backups,
  )
  const isMaking = useSignal(false)
  const make = async (): Promise<void> => {
    isMaking.value = true
    try {
      const { name, bytes: size } = (await call<Backup>('POST', '/backups', { patienceMs })).value
      tell(words.backupMade(name, bytes(size)))
    } catch (error) {
      tell(asProblem(error).message, true)
    }
    isMaking.value = false
    source.reload()
  }
  const remove = (name: string): void => {
    void doing(() => call('DELETE', '/backup', { query: { name } }), words.backupRemoved).then(source.reload)
  }
  const columns: readonly Column<Backup>[] = [
    { name: 'createdAt', title: words.backups, cell: ({ createdAt }) => dateTime(createdAt) },
    {
      name: 'bytes',
      title: texts.subscriptions.groupColumns.queuedBytes,
      isNumber: true,
      cell: (one) => bytes(one.bytes),
    },
    {
      name: 'actions',
      title: '',
      isNumber: true,
      cell: ({ name }) => (
        <span class="row end">
          <a class="button small" href={urlOf('/backup', { name })} download={name}>
            {words.download}
          </a>
          <AskingButton
            isSmall
            label={texts.access.remove}
            name={`${texts.access.remove} ${name}`}
            title={words.removeBackupTitle(name)}
            text={words.removeBackupText}
            onConfirm={() => remove(name)}
          />
        </span>
      ),
    },
  ]
  return (
    <section class="panel stack">
      <div class="row">
        <h2 class="grow">{words.backups}</h2>
        <button type="button" class="button" disabled={isMaking.value} onClick={() => void make()}>
          {isMaking.value ? words.backupRunning : words.backup}
        </button>
      </div>
      <Shown of={source}>
        {(backups) =>
          backups.length === 0 ? (
            <State picture="empty" title={words.backupsEmpty} />
          ) : (
            <DataTable label={words.backups} columns={columns} rows={backups} keyOf={({ name }) => name} />
          )
        }
      </Shown>
    </section>
  )
}
