import { type Connect, encode, ProtocolError } from '@godwit/protocol'
import type { Credentials } from './credentials.js'
import { ConnectionError, InvalidArgumentError } from './errors.js'
import type { ServerAddress } from './server-address.js'
import type { Settings } from './settings.js'

/** The CONNECT for one attempt, with the credentials of this moment. Rejects with a ClientError. */
export async function connectPacket(settings: Settings, server: ServerAddress): Promise<Connect> {
  const { username, password } = { ...server.credentials, ...(await credentialsOf(settings, server)) }
  if (password !== undefined && username === undefined && settings.version < 5) {
    throw new InvalidArgumentError('invalid-option', 'a password needs a user name below MQTT 5.0') // [MQTT-3.1.2-22]
  }
  const connect: Connect = {
    type: 'connect',
    version: settings.version,
    clientId: settings.clientId,
    cleanStart: settings.clean,
    keepAliveSeconds: settings.keepAliveSeconds,
    ...(settings.will !== undefined && { will: settings.will }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && {
      password: typeof password === 'string' ? new TextEncoder().encode(password) : password,
    }),
  }
  try {
    encode(connect, settings.version)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new InvalidArgumentError('invalid-option', `these options cannot be written as a CONNECT: ${error.message}`)
  }
  return connect
}

async function credentialsOf(settings: Settings, server: ServerAddress): Promise<Credentials> {
  try {
    return await settings.credentials()
  } catch (error) {
    throw new ConnectionError('credentials-failed', server.url, `credentials() failed: ${String(error)}`, error)
  }
}
