import type { Basics } from '../basics.js'
import type { Commits } from '../connection/commits.js'
import type { WaitingForRoom } from '../connection/held-publications.js'
import type { Tracing } from '../connection/tracing.js'
import type { Services } from '../handlers/context.js'

/** What sessions inside the process are made with. */
export interface InsideParts
  extends Pick<Basics, 'accounts' | 'clock' | 'faults' | 'limits' | 'log' | 'metrics' | 'slices' | 'store'> {
  /** With hooks that ask nobody: the program around the broker may do what it wants. */
  readonly services: Services
  readonly commits: Commits
  readonly tracing: Tracing
  /** Those with publications that wait for room on the disk. */
  readonly waitingForRoom: WaitingForRoom
}
