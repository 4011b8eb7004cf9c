import type { AdministeredBroker } from './options.js'

/**
 * Disconnects every client of a user who has been removed, looked for in slices; a client that comes meanwhile meets the new list.
 * @returns how many were disconnected.
 */
export async function disconnectUser(
  broker: Pick<AdministeredBroker, 'clients' | 'disconnect'>,
  username: string,
): Promise<number> {
  let ended = 0
  for await (const client of broker.clients) {
    if (client.username !== username) continue
    const isEnded = await broker.disconnect(client.clientId, { reasonCode: 0x87, reasonString: 'the user was removed' })
    if (isEnded) ended++
  }
  return ended
}
