import { ReconnectingClient } from './reconnecting-client.js'
import type { Settings } from './settings.js'

/** Connects, and gives the client in the form in which the application holds it. */
export async function open<Whole>(
  Whole: new (client: ReconnectingClient, settings: Settings) => Whole,
  settings: Settings,
): Promise<Whole> {
  const client = new ReconnectingClient(settings)
  const whole = new Whole(client, settings)
  await client.start()
  return whole
}
