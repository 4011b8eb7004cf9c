import { BrokerError } from '../errors.js'

/**
 * The URL of a service that is asked who may come in. Without TLS only this machine is, unless that is wanted by name:
 * what goes over the wire are passwords, or the keys that decide.
 * @throws BrokerError `invalid-option`.
 */
export function serviceUrl(option: string, text: string, allowHttp: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new BrokerError(
      'invalid-option',
      `${option} is ${JSON.stringify(text)}; it takes a URL such as https://auth.example/mqtt`,
    )
  }
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'http:' && !isHere && !allowHttp) {
    throw new BrokerError(
      'invalid-option',
      `${option} is ${text}: without TLS anyone on the way can read and answer; use https, or say allowHttp`,
    )
  }
  return url
}
