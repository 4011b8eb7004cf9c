import type { ProtocolVersion } from '@godwit/client'
import { InvalidArgumentError } from 'commander'

const versions: Readonly<Record<string, ProtocolVersion>> = {
  mqttv5: 5,
  5: 5,
  mqttv311: 4,
  311: 4,
  '3.1.1': 4,
  4: 4,
  mqttv31: 3,
  31: 3,
}

/** @throws InvalidArgumentError saying what it takes. */
export function protocolVersion(text: string): ProtocolVersion {
  const version = Object.hasOwn(versions, text) ? versions[text] : undefined
  if (version !== undefined) return version
  throw new InvalidArgumentError('it takes mqttv5, mqttv311 or mqttv31; or 5, 311 or 31.')
}
