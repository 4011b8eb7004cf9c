import { expirySeconds, type PeerVersion, type Publishing, type Subscribing, userProperties } from './peer.js'

/** The flags of mosquitto_pub and mosquitto_sub, which are those of `godwit pub` and `godwit sub` too. */
export function mosquittoFlags(version: PeerVersion): {
  subscribe(what: Subscribing): string[]
  publish(what: Publishing): string[]
} {
  const properties = [
    ['message-expiry-interval', `${expirySeconds}`],
    ...userProperties.map((pair) => ['user-property', ...pair]),
  ]
  const at5 = version === 5 ? properties.flatMap((words) => ['-D', 'publish', ...words]) : []
  const protocol = version === 5 ? '5' : '311'
  return {
    subscribe: ({ port, filter, qos, count, session }) =>
      `-d -V ${protocol} -p ${port} -t ${filter} -q ${qos}`
        .split(' ')
        .concat(count > 0 ? ['-C', `${count}`] : ['-E'])
        .concat(session === undefined ? [] : ['-c', '-i', session, '-x', '600'])
        .concat('-F', 'message %t %p %E %P'),
    publish: ({ port, topic, qos }) => `-V ${protocol} -p ${port} -t ${topic} -q ${qos} -l`.split(' ').concat(at5),
  }
}
