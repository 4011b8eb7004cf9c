/** A CONNECT cut into its fields as its flags ask, whether they are right or not. */
export interface ConnectParts {
  readonly flags: number
  readonly clientId: Uint8Array
  readonly willTopic?: Uint8Array
  readonly willPayload?: Uint8Array
  readonly username?: Uint8Array
  readonly password?: Uint8Array
  /** The field that should be there and is not whole. */
  readonly missing?: string
  /** Bytes after the last field that the flags ask for. */
  readonly surplus: number
}

export const connectFlag = { will: 0x04, willQos: 0x18, willRetain: 0x20, password: 0x40, username: 0x80 } as const

/** Reads fields one after another; `at` stops at the first that is not whole. */
class Fields {
  readonly #bytes: Uint8Array
  #at: number
  missing: string | undefined

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  get left(): number {
    return this.missing === undefined ? this.#bytes.length - this.#at : 0
  }

  take(name: string): Uint8Array {
    const [high = 0, low = 0] = this.#bytes.subarray(this.#at)
    const end = this.#at + 2 + high * 256 + low
    return this.#cut(name, 2, end)
  }

  skipProperties(name: string): void {
    let [length, count] = [0, 0]
    for (let byte = 128; byte >= 128 && count < 4; count++) {
      byte = this.#bytes[this.#at + count] ?? 0
      length += (byte & 127) * 128 ** count
    }
    this.#cut(name, count, this.#at + count + length)
  }

  #cut(name: string, head: number, end: number): Uint8Array {
    if (this.missing !== undefined) return new Uint8Array()
    if (end > this.#bytes.length || this.#at + head > this.#bytes.length) {
      this.missing = name
      return new Uint8Array()
    }
    const content = this.#bytes.subarray(this.#at + head, end)
    this.#at = end
    return content
  }
}

/** @param bytes the whole packet, its fixed header included */
export function connectParts(bytes: Uint8Array): ConnectParts {
  const body = bytes.subarray(1 + bytes.subarray(1).findIndex((byte) => byte < 128) + 1)
  const nameLength = (body[0] ?? 0) * 256 + (body[1] ?? 0)
  const [level = 0, flags = 0] = body.subarray(2 + nameLength)
  const fields = new Fields(body, 2 + nameLength + 4)
  if (level === 5) fields.skipProperties('properties')
  const clientId = fields.take('client id')
  const will = (flags & connectFlag.will) !== 0 && readWill(fields, level)
  const username = flags & connectFlag.username ? { username: fields.take('user name') } : {}
  const password = flags & connectFlag.password ? { password: fields.take('password') } : {}
  const missing = fields.missing === undefined ? {} : { missing: fields.missing }
  return { flags, clientId, ...will, ...username, ...password, ...missing, surplus: fields.left }
}

function readWill(fields: Fields, level: number): Pick<ConnectParts, 'willTopic' | 'willPayload'> {
  if (level === 5) fields.skipProperties('will properties')
  return { willTopic: fields.take('will topic'), willPayload: fields.take('will payload') }
}
