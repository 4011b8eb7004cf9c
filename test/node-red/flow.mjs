// A flow as people draw it: for each version of MQTT a broker with birth and will messages, and `mqtt in` wired through
// a function to `mqtt out`. Keys and defaults are those of Node-RED's own nodes.

/**
 * @param {number} port of the broker.
 * @param {readonly (4 | 5)[]} versions protocol versions, each with topics `nr/VERSION/…` of its own.
 */
export function flow(port, versions) {
  return [{ id: 'tab', type: 'tab', label: 'Godwit' }, ...versions.flatMap((version) => echo(port, version))]
}

/**
 * @param {number} port
 * @param {4 | 5} version
 */
function echo(port, version) {
  const presence = `nr/${version}/presence`
  return [
    {
      id: `broker${version}`,
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port: String(port),
      clientid: `node-red-${version}`,
      autoConnect: true,
      usetls: false,
      protocolVersion: String(version),
      keepalive: '60',
      cleansession: true,
      autoUnsubscribe: true,
      ...{ birthTopic: presence, birthQos: '1', birthRetain: 'true', birthPayload: 'online', birthMsg: {} },
      ...{ closeTopic: presence, closeQos: '1', closeRetain: 'true', closePayload: 'closed', closeMsg: {} },
      ...{ willTopic: presence, willQos: '1', willRetain: 'true', willPayload: 'offline' },
      willMsg: version === 5 ? { contentType: 'text/plain' } : {},
      userProps: '',
      sessionExpiry: '',
    },
    {
      ...{ id: `in${version}`, type: 'mqtt in', z: 'tab', broker: `broker${version}` },
      ...{ topic: `nr/${version}/in/#`, qos: '2', datatype: 'buffer', nl: false, rap: true, rh: 0, inputs: 0 },
      wires: [[`move${version}`]],
    },
    {
      ...{ id: `move${version}`, type: 'function', z: 'tab', outputs: 1 },
      // At 3.1.1 a server does not say that a message on its way was meant to be retained.
      func: "msg.topic = msg.topic.replace('/in/', '/out/'); msg.retain = msg.topic.endsWith('/state'); return msg",
      wires: [[`out${version}`]],
    },
    {
      ...{ id: `out${version}`, type: 'mqtt out', z: 'tab', broker: `broker${version}` },
      ...{ topic: '', qos: '', retain: '', respTopic: '', contentType: '', userProps: '', correl: '', expiry: '' },
      wires: [],
    },
  ]
}
