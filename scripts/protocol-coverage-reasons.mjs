/** Statements that no check and no test can break, and why. */
export const reasons = /** @type {const} */ ({
  '3.1.1': /** @type {Record<string, string>} */ ({
    'MQTT-7.0.0-1': 'a bridge is the client and a session inside the broker, each held to its own statements',
    'MQTT-7.0.0-2': 'about every other row: whoever keeps them needs no extension to interoperate',
  }),
  '5.0': /** @type {Record<string, string>} */ ({}),
})
