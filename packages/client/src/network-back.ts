/** What a page and a worker have of the network's comings and goings, and Node has not. */
interface NetworkEvents {
  readonly addEventListener?: (event: 'online', task: () => void) => void
  readonly removeEventListener?: (event: 'online', task: () => void) => void
}

/** Runs the task each time the environment says that it has a network again; the function returned ends that. */
export function onNetworkBack(task: () => void): () => void {
  const { addEventListener, removeEventListener } = globalThis as NetworkEvents
  addEventListener?.('online', task)
  return () => removeEventListener?.('online', task)
}
