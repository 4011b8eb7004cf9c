/** A socket that a service manager has opened for this process. */
export interface InheritedSocket {
  /** For `broker.listen({ fd })`. */
  readonly fd: number
  /** `FileDescriptorName=` of the socket unit; `unknown` where it gives none. */
  readonly name: string
}

const firstFd = 3

/**
 * The sockets that systemd has opened for this process (socket activation, `sd_listen_fds(3)`): LISTEN_PID, LISTEN_FDS
 * and LISTEN_FDNAMES. Those are removed, so that child processes do not take them for theirs. None: an empty list.
 */
export function systemdSockets(env: NodeJS.ProcessEnv = process.env, pid: number = process.pid): InheritedSocket[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = '' } = env
  if (Number(LISTEN_PID) !== pid) return []
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name]
  const count = Number(LISTEN_FDS)
  if (!Number.isSafeInteger(count) || count < 1) return []
  const names = LISTEN_FDNAMES.split(':')
  return Array.from({ length: count }, (_, at) => ({ fd: firstFd + at, name: names[at] || 'unknown' }))
}
