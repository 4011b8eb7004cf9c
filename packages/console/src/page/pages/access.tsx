import type { JSX } from 'preact'
import { Page } from '../parts/page.js'
import { texts } from '../texts.js'
import { Explain } from './access-explain.js'
import { RuleList } from './access-rules.js'
import { UserList } from './access-users.js'

/** Who may come in, and who may do what. */
export function Access(): JSX.Element {
  return (
    <Page title={texts.access.title}>
      <div class="stack">
        <div class="two">
          <UserList />
          <Explain />
        </div>
        <RuleList />
      </div>
    </Page>
  )
}
