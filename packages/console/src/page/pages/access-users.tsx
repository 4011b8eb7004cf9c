import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { call } from '../api.js'
import { plain } from '../format.js'
import { AskingButton } from '../parts/asking-button.js'
import { type Column, DataTable } from '../parts/data-table.js'
import { TextField } from '../parts/fields.js'
import { asProblem, useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { doing, tell } from '../parts/toasts.js'
import { may } from '../session.js'
import { texts } from '../texts.js'

const words = texts.access

interface User {
  readonly username: string
}

/** The users of the password file. A hash is never shown, here or anywhere. */
export function UserList(): JSX.Element {
  const source = useRemote(
    '',
    async (signal) => (await call<{ readonly users: readonly User[] }>('GET', '/users', { signal })).value.users,
  )
  const remove = (username: string): void => {
    void doing(() => call('DELETE', '/user', { query: { username } }), words.removed(plain(username))).then(
      source.reload,
    )
  }
  const columns: readonly Column<User>[] = [
    { name: 'username', title: words.user, cell: ({ username }) => plain(username) },
    {
      name: 'actions',
      title: '',
      isNumber: true,
      cell: ({ username }) =>
        may('admin') && (
          <AskingButton
            isSmall
            label={words.remove}
            name={`${words.remove} ${plain(username)}`}
            title={words.removeUserTitle(plain(username))}
            text={words.removeUserText}
            onConfirm={() => remove(username)}
          />
        ),
    },
  ]
  return (
    <section class="panel stack">
      <h2>{words.users}</h2>
      <Shown of={source}>
        {(users) =>
          users.length === 0 ? (
            <State picture="empty" title={texts.state.nothing}>
              <p class="muted">{words.usersEmpty}</p>
            </State>
          ) : (
            <DataTable label={words.users} columns={columns} rows={users} keyOf={({ username }) => username} />
          )
        }
      </Shown>
      {may('admin') && <NewUser onSaved={source.reload} />}
    </section>
  )
}

function NewUser({ onSaved }: { readonly onSaved: () => void }): JSX.Element {
  const username = useSignal('')
  const password = useSignal('')
  const save = async (event: Event): Promise<void> => {
    event.preventDefault()
    const name = username.value
    try {
      const { value } = await call<{ readonly created: boolean }>('PUT', '/user', {
        query: { username: name },
        body: { password: password.value },
      })
      tell(value.created ? words.added(plain(name)) : words.changed(plain(name)))
      username.value = ''
      password.value = ''
    } catch (error) {
      tell(asProblem(error).message, true)
    }
    onSaved()
  }
  return (
    <form class="stack" onSubmit={(event) => void save(event)}>
      <h3>{words.addUser}</h3>
      <div class="form">
        <TextField
          label={words.user}
          value={username.value}
          isRequired
          onChange={(value) => {
            username.value = value
          }}
        />
        <TextField
          label={words.password}
          type="password"
          value={password.value}
          isRequired
          onChange={(value) => {
            password.value = value
          }}
        />
      </div>
      <div class="row">
        <button type="submit" class="button">
          {words.setUser}
        </button>
      </div>
    </form>
  )
}
