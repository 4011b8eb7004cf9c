/** What a server speaks whose first bytes are no MQTT, and how to speak with it. A WebSocket brings none such. */
export function otherProtocol([first, second]: readonly number[]): string | undefined {
  // An alert of TLS, and the HT of HTTP.
  if (first === 0x15 && second === 0x03) return 'the server speaks TLS at this port; use mqtts:// (or wss://)'
  if (first === 0x48 && second === 0x54)
    return 'the server speaks HTTP at this port; use ws:// if it has a WebSocket for MQTT'
  return undefined
}
