// U+FEFF is a character like any other [MQTT-1.5.3-3].
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Text for a person or a comparison; ill-formed bytes become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
