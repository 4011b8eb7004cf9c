import { NotEditable, type Rules, type Users } from '@godwit/admin/parts'
import { type Access, rulesIn } from '../broker-access.js'
import type { Resolved } from '../config/resolve.js'
import { EditedFile } from './edited-file.js'
import { RulesEditor } from './rules-editor.js'
import { UsersEditor } from './users-editor.js'

/** What edits the files that say who may come in and what they may do. */
export interface Editors {
  readonly users: Users
  readonly rules: Rules
  /** From here on they edit the files that this configuration names. */
  follow(settings: Resolved): void
}

/**
 * The editors of a broker's files: those of `auth` and `acl` for all listeners or, where only a listener has one, of the first
 * that has. What cannot be edited says so when somebody tries.
 * @param access takes up what is edited.
 */
export function editorsOf(settings: Resolved, access: Pick<Access, 'reload'>): Editors {
  let { users, rules } = editorsOfFiles(settings, access)
  return {
    users: {
      list: () => users.list(),
      set: (...what) => users.set(...what),
      remove: (...what) => users.remove(...what),
    },
    rules: {
      list: () => rules.list(),
      replace: (...what) => rules.replace(...what),
      add: (...what) => rules.add(...what),
      change: (...what) => rules.change(...what),
      remove: (...what) => rules.remove(...what),
    },
    follow(next) {
      ;({ users, rules } = editorsOfFiles(next, access))
    },
  }
}

function editorsOfFiles(settings: Resolved, access: Pick<Access, 'reload'>): Pick<Editors, 'users' | 'rules'> {
  const { auth, acl, listeners } = settings.config
  const takeUp = (): Promise<void> => access.reload()
  const passwords = [auth, ...listeners.map((one) => one.auth)].flatMap((one) => one?.passwordFile ?? [])[0]
  const ruleFile = [acl, ...listeners.map((one) => one.acl)].flatMap((one) => one?.file ?? [])[0]
  return {
    users: passwords === undefined ? noUsers : new UsersEditor(new EditedFile(passwords, takeUp)),
    rules: ruleFile === undefined ? fixedRules(settings) : new RulesEditor(new EditedFile(ruleFile, takeUp)),
  }
}

const refuse = (why: string) => (): Promise<never> => Promise.reject(new NotEditable(why))

const noFile = refuse(
  'the configuration names no password file; make one with "godwit passwd -c passwords NAME", name it in auth.passwordFile, and reload the broker (godwit reload)',
)
const noUsers: Users = { list: async () => ({ etag: '', users: [] }), set: noFile, remove: noFile }

/** Rules that stand in the configuration, or nowhere. */
function fixedRules(settings: Resolved): Rules {
  const rules = rulesIn(settings.config.acl, ['acl'], settings)
  const move =
    'write them into a file of their own such as rules.yaml, name it in acl.file, and reload the broker (godwit reload)'
  const edit = refuse(
    rules
      ? `the rules stand in the configuration (${settings.origin(['acl', 'rules'])}): edit them there, or ${move}`
      : `there are no access rules, so that everybody may do everything; to have some, ${move}`,
  )
  return { list: async () => ({ etag: '', rules: rules ?? [] }), replace: edit, add: edit, change: edit, remove: edit }
}
