import { isFilterWithVariables } from '@godwit/broker/access'
import { isObject } from '../config/layers.js'

export type Json = Readonly<Record<string, unknown>>

/** Tells of an entry that is left out. */
type Tell = (entry: string, why: string) => void

/** One line of a role. */
export interface Acl {
  readonly type: string
  readonly topic: string
  /** The topic in the form of access rules. */
  readonly filter: string
  readonly allow: boolean
  readonly priority: number
}

export class Role {
  constructor(
    readonly name: string,
    readonly acls: readonly Acl[],
    readonly allowWildcards: boolean,
  ) {}

  /** Those of these types, the highest priority first; of one topic the first that stands in the file. */
  of(...types: readonly string[]): readonly Acl[] {
    const first = new Map<string, Acl>()
    for (const acl of this.acls) {
      const key = `${acl.type} ${acl.topic}`
      if (types.includes(acl.type) && !first.has(key)) first.set(key, acl)
    }
    return [...first.values()].sort((one, other) => other.priority - one.priority)
  }
}

export interface Client {
  readonly name: string
  readonly disabled: boolean
  /** In the form of a password file; undefined where it has none. */
  readonly hash: string | undefined
  readonly clientId: string | undefined
  /** Names, in their order. */
  readonly roles: readonly string[]
  readonly groups: string[]
}

const types = [
  'publishclientsend',
  'publishclientreceive',
  'subscribeliteral',
  'subscribepattern',
  'unsubscribeliteral',
  'unsubscribepattern',
]

export function readRoles(tree: Json, tell: Tell): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>()
  for (const role of objects(tree.roles)) {
    const name = textOf(role.rolename)
    if (name === undefined) tell('a role', 'it has no rolename; mosquitto passes over it')
    else if (roles.has(name)) tell(`role ${name}`, 'it stands there twice; mosquitto takes the first')
    else {
      const acls = objects(role.acls).flatMap((acl) => readAcl(acl, (why) => tell(`role ${name}`, why)))
      roles.set(name, new Role(name, acls, role.allowwildcardsubs !== false))
    }
  }
  return roles
}

function readAcl(acl: Json, cannot: (why: string) => void): readonly Acl[] {
  const topic = textOf(acl.topic)
  const type = String(acl.acltype).toLowerCase()
  if (topic === undefined) return []
  if (!types.includes(type)) {
    cannot(`${String(acl.acltype)} ${topic}: mosquitto knows no such acltype, and passes over it`)
    return []
  }
  const isPattern = !type.endsWith('literal')
  const filter = isPattern ? topic.replaceAll('%c', `\${clientId}`).replaceAll('%u', `\${username}`) : topic
  if (topic.startsWith('$share/')) {
    cannot(
      `${String(acl.acltype)} ${topic}: rules are asked about the filter of a shared subscription without its group`,
    )
    return []
  }
  if (topic.includes('${') || !isFilterWithVariables(filter)) {
    cannot(`${String(acl.acltype)} ${topic}: that is no topic filter`)
    return []
  }
  return [{ type, topic, filter, allow: acl.allow === true, priority: priorityOf(acl, 0) }]
}

export function readClients(tree: Json, tell: Tell): ReadonlyMap<string, Client> {
  const clients = new Map<string, Client>()
  for (const client of objects(tree.clients)) {
    const name = textOf(client.username)
    if (name === undefined) tell('a client', 'it has no username; mosquitto passes over it')
    else if (clients.has(name)) tell(`client ${name}`, 'it stands there twice; mosquitto takes the first')
    else {
      clients.set(name, {
        name,
        disabled: client.disabled === true,
        hash: hashOf(client),
        clientId: textOf(client.clientid),
        roles: rolesOf(client),
        groups: [],
      })
    }
  }
  return clients
}

/** 2.1 has the line of a password file; older files have its parts. */
function hashOf({ encoded_password: encoded, password, salt, iterations }: Json): string | undefined {
  if (typeof encoded === 'string') return encoded
  if (typeof password !== 'string' || typeof salt !== 'string' || !(Number(iterations) > 0)) return undefined
  return `$7$${Number(iterations)}$${salt}$${password}`
}

/** Groups know their clients; here clients are told their groups. */
export function readGroups(
  tree: Json,
  clients: ReadonlyMap<string, Client>,
): { readonly roles: ReadonlyMap<string, readonly string[]>; readonly anonymous: readonly string[] | undefined } {
  const roles = new Map<string, readonly string[]>()
  const members: { readonly client: Client; readonly name: string; readonly priority: number }[] = []
  for (const group of objects(tree.groups)) {
    const name = textOf(group.groupname)
    if (name === undefined || roles.has(name)) continue
    roles.set(name, rolesOf(group))
    for (const member of objects(group.clients)) {
      const client = clients.get(String(member.username))
      if (client) members.push({ client, name, priority: priorityOf(member, -1) })
    }
  }
  for (const { client, name } of members.sort(byPriority)) if (!client.groups.includes(name)) client.groups.push(name)
  const anonymous = textOf(tree.anonymousGroup)
  return { roles, anonymous: anonymous === undefined ? undefined : roles.get(anonymous) }
}

function rolesOf({ roles }: Json): readonly string[] {
  const entries = objects(roles).flatMap((role) => {
    const name = textOf(role.rolename)
    return name === undefined ? [] : [{ name, priority: priorityOf(role, -1) }]
  })
  return [...new Map(entries.toReversed().map((entry) => [entry.name, entry])).values()]
    .sort(byPriority)
    .map(({ name }) => name)
}

interface Prioritized {
  readonly name: string
  readonly priority: number
}

/** The highest first, then by name as bytes compare. */
function byPriority(one: Prioritized, other: Prioritized): number {
  return other.priority - one.priority || Buffer.compare(Buffer.from(one.name), Buffer.from(other.name))
}

const mostPriority = 100_000

function priorityOf({ priority }: Json, otherwise: number): number {
  if (typeof priority !== 'number') return otherwise
  return Math.min(Math.max(Math.trunc(priority), -mostPriority), mostPriority)
}

function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
