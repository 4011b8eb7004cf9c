/**
 * Refuses a Node that is too old as soon as the package is loaded: it would start, and fail where it is used.
 * @throws Error naming the package, what it needs and what is there.
 */
export function checkNode(name: string, version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new Error(`${name} needs Node 20.19 or newer; this is ${version}; install a newer one`)
}
