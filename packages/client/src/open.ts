import { ReconnectingClient } from './reconnecting-client.js'
import type { Settings } from './settings.js'

/** Connects, and gives the client behind this door. */
export async function open<Door>(
  Door: new (client: ReconnectingClient, settings: Settings) => Door,
  settings: Settings,
): Promise<Door> {
  const client = new ReconnectingClient(settings)
  const door = new Door(client, settings)
  await client.start()
  return door
}
