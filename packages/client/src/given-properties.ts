import type { PropertiesOf, PropertyHost } from '@godwit/protocol'
import { bytesOf, type Payload } from './payload.js'

/** Properties as an application gives them: bytes in any form. */
export type GivenProperties<H extends PropertyHost> = Omit<PropertiesOf<H>, 'correlationData'> & {
  /** Comes back with the response (section 3.3.2.3.6). Text is sent as UTF-8. */
  readonly correlationData?: Payload
}

/** The same as they go into a packet: a copy, so that nothing can be changed after it has been checked. */
export function ownProperties<H extends PropertyHost>(
  given: GivenProperties<H> | undefined,
): PropertiesOf<H> | undefined {
  if (given === undefined) return undefined
  const { correlationData, userProperties } = given as GivenProperties<'publish'>
  return {
    ...(given as PropertiesOf<H>),
    ...(correlationData !== undefined && { correlationData: bytesOf(correlationData)?.slice() }),
    ...(userProperties !== undefined && { userProperties: userProperties.map(([name, value]) => [name, value]) }),
  }
}
