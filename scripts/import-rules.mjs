// Which way imports may go, as data (ARCHITECTURE.md draws it). check-imports.mjs enforces it.

/**
 * What the sources of one package may import.
 * @typedef {object} PackageRule
 * @property {readonly string[]} uses The workspace's packages that its sources may import.
 * @property {readonly string[]} [usedByTests] Further packages of the workspace for its tests alone.
 * @property {string} [bundled] The folder below src that is built into files of its own, and may use `devDependencies`.
 * @property {readonly string[]} [nodeOnlyIn] Present when the package also runs in browsers: the files that may import `node:`.
 */

/** @type {Readonly<Record<string, PackageRule>>} */
export const packageRules = {
  '@godwit/protocol': { uses: [], nodeOnlyIn: [] },
  '@godwit/client': {
    uses: ['@godwit/protocol'],
    usedByTests: ['@godwit/broker'],
    nodeOnlyIn: ['file-store.ts', 'socket-node.ts', 'tls-node.ts', 'websocket-node.ts'],
  },
  '@godwit/broker': { uses: ['@godwit/protocol'], usedByTests: ['@godwit/conformance'] },
  '@godwit/bridge': { uses: ['@godwit/protocol', '@godwit/client', '@godwit/broker'] },
  '@godwit/admin': { uses: ['@godwit/protocol', '@godwit/broker'], usedByTests: ['@godwit/client'] },
  '@godwit/cluster': { uses: ['@godwit/broker'], usedByTests: ['@godwit/protocol', '@godwit/client'] },
  '@godwit/plugin-influx': { uses: ['@godwit/protocol', '@godwit/broker'] },
  '@godwit/plugin-postgres': { uses: ['@godwit/broker'], usedByTests: ['@godwit/client'] },
  '@godwit/plugin-webhook': { uses: ['@godwit/broker'], usedByTests: ['@godwit/protocol'] },
  '@godwit/console': { uses: ['@godwit/client'], bundled: 'page' },
  '@godwit/conformance': { uses: ['@godwit/protocol'] },
  godwit: {
    uses: [
      '@godwit/protocol',
      '@godwit/client',
      '@godwit/broker',
      '@godwit/bridge',
      '@godwit/admin',
      '@godwit/cluster',
      '@godwit/console',
      '@godwit/conformance',
    ],
  },
}

/**
 * The rooms of the broker, low to high. A file may import its own room and those of lower rows; rooms of one row do not
 * import each other. A name with `.ts` is a file directly in src; the files of the lowest row count as one room.
 * @type {readonly (readonly string[])[]}
 */
export const brokerRooms = [
  [
    'accounts.ts',
    'batches.ts',
    'bridging.ts',
    'buffer-over.ts',
    'changes.ts',
    'client-certificate.ts',
    'commit.ts',
    'descriptors.ts',
    'drops.ts',
    'errors.ts',
    'faults.ts',
    'features.ts',
    'limits.ts',
    'log.ts',
    'maybe-async.ts',
    'message.ts',
    'metrics.ts',
    'network.ts',
    'offer.ts',
    'option-names.ts',
    'patient-timeout.ts',
    'recent-drops.ts',
    'small-map.ts',
    'sorted-names.ts',
    'unix-socket.ts',
    'version.ts',
    'watched-files.ts',
  ],
  ['time'],
  ['transport', 'store', 'hooks'],
  ['basics.ts'],
  ['access', 'delivery', 'options.ts'],
  ['router', 'reconfiguration.ts'],
  ['session'],
  ['handlers', 'inspection'],
  ['connection'],
  ['inside'],
  ['rooms.ts', 'watches.ts'],
  ['upkeep.ts', 'ways-in.ts'],
  ['broker.ts'],
  ['plugin', 'edge'],
  ['index.ts', 'testing', 'cluster', 'admin'],
]
