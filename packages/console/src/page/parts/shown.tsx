import type { ComponentChildren, JSX } from 'preact'
import type { Problem } from '../api.js'
import { self } from '../session.js'
import { texts } from '../texts.js'
import { Picture, type PictureName } from './pictures.js'
import type { RemoteSource } from './remote.js'

interface StateProps {
  readonly picture: PictureName
  readonly title: string
  readonly children?: ComponentChildren
}

/** A state, with its picture. */
export function State({ picture, title, children }: StateProps): JSX.Element {
  return (
    <div class="state">
      <Picture name={picture} />
      <h3>{title}</h3>
      {children}
    </div>
  )
}

export function Loading(): JSX.Element {
  return (
    <div class="skeleton" role="status" aria-label={texts.state.loading}>
      {Array.from({ length: 6 }, (_, at) => (
        <i key={at} />
      ))}
    </div>
  )
}

interface FailedProps {
  readonly problem: Problem
  readonly again?: (() => void) | undefined
}

/** What is shown in the place of what did not come. */
export function Failed({ problem, again }: FailedProps): JSX.Element {
  const { status, code, message } = problem
  if (status === 403) {
    return (
      <State picture="noRight" title={texts.state.noRight}>
        <p class="muted">{texts.state.noRightMore(self.value?.role ?? '')}</p>
      </State>
    )
  }
  if (code === 'not-serving') {
    return (
      <State picture="notAvailable" title={texts.state.notServing}>
        <p class="muted">{message}</p>
      </State>
    )
  }
  if (status === 501) {
    return (
      <State picture="notAvailable" title={texts.state.notAvailable}>
        <p class="muted">{message}</p>
      </State>
    )
  }
  if (status === 0) {
    return (
      <State picture="lost" title={texts.state.lost}>
        <p class="muted">{texts.state.lostMore}</p>
      </State>
    )
  }
  return (
    <State picture="failed" title={texts.state.failed}>
      <p class="muted">{message}</p>
      {again && (
        <button type="button" class="button" onClick={again}>
          {texts.state.again}
        </button>
      )}
    </State>
  )
}

interface ShownProps<T> {
  readonly of: RemoteSource<T>
  readonly children: (value: T) => ComponentChildren
}

/** What the server was asked for, or why it is not there. A value that has come stays while the next one is asked for. */
export function Shown<T>({ of, children }: ShownProps<T>): JSX.Element {
  const { value, problem } = of.remote.value
  if (value !== undefined && (problem === undefined || problem.status === 0)) return <>{children(value)}</>
  if (problem) return <Failed problem={problem} again={of.reload} />
  return <Loading />
}
