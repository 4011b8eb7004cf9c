/** Where counters and health are shown. */
export interface MonitoringAddress {
  readonly host: string
  readonly port: number
}

/** `9464`, `127.0.0.1:9464`, `[::1]:9464`; without a host, this machine alone. Undefined when it is none of that. */
export function monitoringAddress(text: string): MonitoringAddress | undefined {
  const [, bracketed, name, digits] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (!(port <= 65_535)) return undefined
  return { host: bracketed ?? name ?? '127.0.0.1', port }
}
