import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import icon from '../icon.svg'
import { loggedOutBecause, logIn, lostSince, self } from '../session.js'
import { texts } from '../texts.js'

/** For whoever is not logged in. */
export function Login(): JSX.Element {
  const token = useSignal('')
  const isSending = useSignal(false)
  const why = loggedOutBecause.value
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    isSending.value = true
    await logIn({ token: token.value.trim() }).catch(() => {}) // what is wrong is shown
    isSending.value = false
  }
  return (
    <main class="login">
      <form class="panel stack" onSubmit={(event) => void send(event)}>
        <h1 class="brand">
          <img src={icon} alt="" />
          {texts.name}
        </h1>
        {self.value === undefined ? (
          <p role="status">{lostSince.value === undefined ? texts.login.waiting : texts.login.unreachable}</p>
        ) : (
          <>
            {why !== '' && (
              <p class="bad" role="alert">
                {why === 'ended' ? texts.login.ended : why}
              </p>
            )}
            <p>{texts.login.why}</p>
            <label class="field">
              <span>{texts.login.token}</span>
              <input
                type="password"
                autocomplete="off"
                required
                placeholder={texts.login.tokenHint}
                value={token.value}
                onInput={({ currentTarget }) => {
                  token.value = currentTarget.value
                }}
              />
            </label>
            <button type="submit" class="button main" disabled={isSending.value}>
              {texts.login.send}
            </button>
            <p class="muted">
              {texts.login.link} <code>{texts.login.command}</code>
            </p>
          </>
        )}
      </form>
    </main>
  )
}
