const words: Readonly<Record<string, string>> = {
  EMFILE: 'this process may open no more files; raise it with ulimit -n, or LimitNOFILE= in the systemd unit',
  ENFILE: 'this machine may open no more files; raise the sysctl fs.file-max',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'there is a file of that name',
  ENOENT: 'no such file or folder',
  EISDIR: 'it is a folder',
  ENOSPC: 'no space left',
  ENAMETOOLONG: 'the name is too long',
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the server closed the connection',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  ENOTFOUND: 'no host of that name',
  ETIMEDOUT: 'no answer',
}

/** What the operating system's error means, in words. */
export function systemProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  return words[code] ?? error.message
}

/** Nothing is wrong with what was to be opened. */
export function isOutOfFiles(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  return code === 'EMFILE' || code === 'ENFILE'
}
