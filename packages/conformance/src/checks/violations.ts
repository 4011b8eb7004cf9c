import type { Dialogue } from '../check.js'
import { connectBytes, field, fromHex } from '../raw-packets.js'

/** The bits of the connect flags. */
export const flag = {
  reserved: 0x01,
  cleanSession: 0x02,
  will: 0x04,
  willQoS1: 0x08,
  willQoS2: 0x10,
  willRetain: 0x20,
  password: 0x40,
  userName: 0x80,
} as const

/** A client that is connected sends this: the server closes the connection, with no reply. */
export function closes(bytes: Uint8Array | string): Dialogue {
  return async (t) => {
    const c = await t.connect()
    c.sendBytes(typeof bytes === 'string' ? fromHex(bytes) : bytes)
    await c.expectClosed()
  }
}

/** A CONNECT with these flags, Clean Session, a client id and then these fields: the server does not accept it. */
export function refuses(flags: number, ...fields: readonly (string | Uint8Array)[]): Dialogue {
  return async (t) => {
    const c = await t.open()
    c.sendBytes(connectBytes({ flags: flags | flag.cleanSession, payload: [t.clientId(), ...fields].map(field) }))
    await c.expectRefused()
  }
}
