import { createConnection, type Server } from 'node:net'
import { isMainThread } from 'node:worker_threads'

/** Whether somebody listens there. What cannot be told counts as yes: a living socket must not be taken away. */
export function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

const allPermissions = 0o777

/**
 * Lets a server listen at a path whose socket has these permissions from the first moment: changed afterwards, it would
 * have been open to others for a while. The socket is made within the call, under the process's umask of that moment.
 * @throws Error in a worker thread, which has no umask of its own to set.
 */
export function listenAt(
  server: Server,
  path: string,
  mode: number,
  options: { readonly backlog?: number } = {},
): void {
  if (!isMainThread) {
    throw new Error(
      'a worker thread cannot give a Unix socket its permissions; open it in the main thread, or listen on a port',
    )
  }
  const before = process.umask(allPermissions & ~mode)
  try {
    server.listen({ ...options, path })
  } finally {
    process.umask(before)
  }
}
