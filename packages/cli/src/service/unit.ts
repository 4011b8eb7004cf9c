import { isAbsolute, join, relative } from 'node:path'

/** What a unit of systemd is made for. */
export interface ServiceSettings {
  /** Of the unit: `godwit` is godwit.service. */
  readonly name: string
  /** What starts the command, each an absolute path: the command alone, or Node and the command. */
  readonly command: readonly string[]
  readonly config: string
  readonly data: string
  /** Who runs it; the group has the same name unless it is given. */
  readonly user: string
  readonly group: string
}

/** As the files in packaging/systemd have it. */
export const usualService: ServiceSettings = {
  name: 'godwit',
  command: ['/usr/local/bin/godwit'],
  config: '/etc/godwit/godwit.yaml',
  data: '/var/lib/godwit',
  user: 'godwit',
  group: 'godwit',
}

const homes = ['/home', '/root', '/run/user']

/** The unit that runs a broker; packaging/systemd/godwit.service is this of {@link usualService}. */
export function serviceUnit(settings: ServiceSettings): string {
  const { command, config, data, user, group } = settings
  const run = command.map(word).join(' ')
  return `[Unit]
Description=Godwit, an MQTT broker
Documentation=man:systemd.service(5)
After=network-online.target
Wants=network-online.target

[Service]
# Ready once it accepts connections and has read its data; systemd-notify tells, so that NotifyAccess is all.
Type=notify
NotifyAccess=all
ExecStart=${run} broker --config ${word(config)} --data ${word(data)}
# Reads passwords, access rules and certificates again; where they are broken it says so, and nothing changes.
ExecReload=${run} reload --data ${word(data)}
Restart=on-failure
# 65: the stored data is damaged, which no start mends.
RestartPreventExitStatus=65
TimeoutStartSec=5min
TimeoutStopSec=1min
User=${user}
Group=${group}
${folders(data, settings.name)}UMask=0077
LimitNOFILE=1048576

# It needs its data, its sockets and nothing else. MemoryDenyWriteExecute is not here: V8 compiles to memory.
# ProcSubset=pid is not here: the lock of the data folder holds the boot's id, which is read from /proc/sys.
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
LockPersonality=yes
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=${isInHome(settings) ? 'read-only' : 'yes'}
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service @pkey
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}

/** Below /var/lib systemd makes the folder and gives it to the user; any other must be there. */
function folders(data: string, name: string): string {
  const inState = relative('/var/lib', data)
  const isState = inState !== '' && !inState.startsWith('..') && !isAbsolute(inState)
  const state = isState
    ? `StateDirectory=${word(inState)}\nStateDirectoryMode=0700\n`
    : `ReadWritePaths=${word(data)}\n`
  return `${state}RuntimeDirectory=${name}\n`
}

/** Whether something of it stands where ProtectHome would hide it, as a Node of nvm does. */
export function isInHome({ command, config, data }: ServiceSettings): boolean {
  return [...command, config, data].some((path) => homes.some((home) => path.startsWith(join(home, '/'))))
}

/** A word of a line of systemd: `%` and `$` mean something there, and so do blanks (systemd.service(5), "Command lines"). */
function word(text: string): string {
  const escaped = text.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /[\s"'\\;]/.test(escaped) ? `"${escaped.replace(/["\\]/g, '\\$&')}"` : escaped
}

/** A user for it, for systemd-sysusers(8). */
export function sysusersLine({ user, data }: ServiceSettings): string {
  return `u ${user} - "Godwit MQTT broker" ${data}\n`
}
