/** The same bytes as a Buffer: what is handed to programs of Node, whose `toString()` they expect to be the text. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
