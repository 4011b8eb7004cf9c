import { type Connect, encode, type PropertiesOf, type ProtocolVersion } from '@godwit/protocol'
import type { Credentials } from './credentials.js'
import { ConnectionError, invalidOption } from './errors.js'
import { requirePayload } from './payload.js'
import type { ServerAddress } from './server-address.js'
import { expiryInterval } from './session-life.js'
import { largestPacketBytes, type Settings } from './settings.js'

/** What changes from one attempt to the next. */
interface Attempt {
  readonly server: ServerAddress
  readonly version: ProtocolVersion
  /** See RelayTerms. Undefined: it is no relay. */
  readonly bridge: boolean | undefined
  readonly clientId: string
  readonly cleanStart: boolean
}

/** The CONNECT for one attempt, with the credentials of this moment. Rejects with a ClientError. */
export async function connectPacket(settings: Settings, attempt: Attempt): Promise<Connect> {
  const { server, version, clientId, cleanStart } = attempt
  const { username, password } = { ...server.credentials, ...(await credentialsOf(settings, server)) }
  if (password !== undefined && username === undefined && version < 5) {
    throw invalidOption('a password needs a user name below MQTT 5.0') // [MQTT-3.1.2-22]
  }
  if (version < 5 && clientId === '' && !cleanStart) {
    throw invalidOption('a session that outlives its connection needs a clientId') // [MQTT-3.1.3-7]
  }
  const connect: Connect = {
    type: 'connect',
    version,
    ...(attempt.bridge && { bridge: true }),
    clientId,
    cleanStart,
    keepAliveSeconds: settings.keepAliveSeconds,
    ...(settings.will !== undefined && { will: settings.will }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && {
      password: requirePayload('connect', 'password', password),
    }),
    ...(version === 5 && { properties: await propertiesOf(settings, server) }),
  }
  try {
    encode(connect, version)
  } catch (error) {
    // Whatever it was: these options will never make a CONNECT, so nothing is gained by trying again.
    const { message } = error as Error
    throw invalidOption(`these options cannot be written as a CONNECT: ${message}`)
  }
  return connect
}

/** Only what differs from the standard's defaults. */
async function propertiesOf(settings: Settings, server: ServerAddress): Promise<PropertiesOf<'connect'>> {
  const { sessionExpirySeconds, receiveMaximum, maxPacketBytes, topicAliasMaximum, properties } = settings
  return {
    ...(sessionExpirySeconds > 0 && { sessionExpiryInterval: expiryInterval(sessionExpirySeconds) }),
    ...(receiveMaximum < 65_535 && { receiveMaximum }),
    ...(maxPacketBytes < largestPacketBytes && { maximumPacketSize: maxPacketBytes }),
    ...(topicAliasMaximum > 0 && { topicAliasMaximum }),
    ...(settings.requestResponseInformation && { requestResponseInformation: true }),
    ...(!settings.requestProblemInformation && { requestProblemInformation: false }),
    ...properties,
    ...(settings.authentication && (await settings.authentication.begin(server.url))),
  }
}

async function credentialsOf(settings: Settings, server: ServerAddress): Promise<Credentials> {
  const answer = await ask(settings, server)
  settings.checks.options('credentials', 'credentials()', answer)
  return answer
}

async function ask(settings: Settings, server: ServerAddress): Promise<Credentials> {
  try {
    return await settings.credentials()
  } catch (error) {
    throw new ConnectionError('credentials-failed', server.url, `credentials() failed: ${String(error)}`, error)
  }
}
