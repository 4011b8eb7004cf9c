import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { duration } from './format.js'
import icon from './icon.svg'
import { follows } from './live.js'
import { Access } from './pages/access.js'
import { Clients } from './pages/clients.js'
import { Cluster } from './pages/cluster.js'
import { Connections } from './pages/connections.js'
import { Drops } from './pages/drops.js'
import { Log } from './pages/log.js'
import { Login } from './pages/login.js'
import { Overview } from './pages/overview.js'
import { Publish } from './pages/publish.js'
import { Retained } from './pages/retained.js'
import { Sessions } from './pages/sessions.js'
import { Settings } from './pages/settings.js'
import { Subscriptions } from './pages/subscriptions.js'
import { Topics } from './pages/topics.js'
import { Trace } from './pages/trace.js'
import { Choice } from './parts/fields.js'
import { Toasts, tell } from './parts/toasts.js'
import { hrefOf, place } from './router.js'
import { logOut, lostSince, self } from './session.js'
import { texts } from './texts.js'
import { theme } from './theme.js'

interface Entry {
  readonly page: string
  readonly title: string
  readonly show: () => JSX.Element
  /** It is there at a node of a cluster that follows, too. Default: the cluster is shown in its place. */
  readonly atAnyNode?: true
}

/** The pages, in the groups of the menu. */
const groups: readonly { readonly title?: string; readonly entries: readonly Entry[] }[] = [
  { entries: [{ page: '', title: texts.menu.overview, show: Overview }] },
  {
    title: texts.menu.who,
    entries: [
      { page: 'clients', title: texts.menu.clients, show: Clients },
      { page: 'sessions', title: texts.menu.sessions, show: Sessions },
      { page: 'subscriptions', title: texts.menu.subscriptions, show: Subscriptions },
      { page: 'drops', title: texts.menu.drops, show: Drops },
    ],
  },
  {
    title: texts.menu.messages,
    entries: [
      { page: 'topics', title: texts.menu.topics, show: Topics },
      { page: 'retained', title: texts.menu.retained, show: Retained },
      { page: 'publish', title: texts.menu.publish, show: Publish },
    ],
  },
  {
    title: texts.menu.broker,
    entries: [
      { page: 'cluster', title: texts.menu.cluster, show: Cluster, atAnyNode: true },
      { page: 'connections', title: texts.menu.connections, show: Connections },
      { page: 'access', title: texts.menu.access, show: Access },
      { page: 'trace', title: texts.menu.trace, show: Trace },
      { page: 'log', title: texts.menu.log, show: Log, atAnyNode: true },
      { page: 'settings', title: texts.menu.settings, show: Settings, atAnyNode: true },
    ],
  },
]

export function App(): JSX.Element {
  if (!self.value) return <Login />
  const entries = groups.flatMap((group) => group.entries)
  const entry = entries.find(({ page }) => page === place.value.page) ?? entries[0]!
  const Shown = follows.value && !entry.atAnyNode ? Cluster : entry.show
  return (
    <>
      <button type="button" class="button skip" onClick={() => document.getElementById('content')?.focus()}>
        {texts.skip}
      </button>
      <div class="shell">
        <LostBanner />
        <Side />
        <Shown key={place.value.page} />
      </div>
      <Toasts />
    </>
  )
}

function Side(): JSX.Element {
  const isOpen = useSignal(false)
  const { page } = place.value
  useEffect(() => {
    isOpen.value = false
  }, [page])
  const { name, role } = self.value!
  return (
    <header class={isOpen.value ? 'side open' : 'side'}>
      <div class="top">
        <a class="brand" href={hrefOf('')}>
          <img src={icon} alt="" />
          {texts.name}
        </a>
        <button
          type="button"
          class="button opener"
          aria-expanded={isOpen.value}
          onClick={() => {
            isOpen.value = !isOpen.value
          }}
        >
          {texts.menu.open}
        </button>
      </div>
      <nav class="menu" aria-label={texts.menu.title}>
        {groups.map((group) => (
          <MenuGroup key={group.title ?? ''} title={group.title} entries={group.entries} page={page} />
        ))}
      </nav>
      <div class="foot">
        <ThemeChoice />
        <span class="muted">{texts.you(name, role)}</span>
        <button type="button" class="button" onClick={() => void logOut()}>
          {texts.logOut}
        </button>
      </div>
    </header>
  )
}

interface MenuGroupProps {
  readonly title: string | undefined
  readonly entries: readonly Entry[]
  readonly page: string
}

function MenuGroup({ title, entries, page }: MenuGroupProps): JSX.Element {
  return (
    <>
      {title !== undefined && <h2>{title}</h2>}
      {entries.map((entry) => (
        <a key={entry.page} href={hrefOf(entry.page)} aria-current={entry.page === page ? 'page' : undefined}>
          {entry.title}
        </a>
      ))}
    </>
  )
}

function ThemeChoice(): JSX.Element {
  return (
    <Choice
      label={texts.theme.label}
      value={theme.value}
      of={texts.theme.names}
      onChange={(one) => {
        theme.value = one
      }}
    />
  )
}

function LostBanner(): JSX.Element | null {
  const now = useSignal(Date.now())
  const { value: lost } = lostSince
  useEffect(() => {
    if (lost === undefined) return
    const timer = setInterval(() => {
      now.value = Date.now()
    }, 1_000)
    return () => {
      clearInterval(timer)
      tell(texts.link.back)
    }
  }, [lost, now])
  if (lost === undefined) return null
  return (
    <div class="banner" role="alert">
      {texts.link.lost(duration((now.value - lost) / 1_000))}
    </div>
  )
}
