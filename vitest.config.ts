import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Tests run on the sources, so that a change needs no build before it is tested. */
export default defineConfig({
  resolve: {
    alias: [
      { find: '@godwit/client/file-store', replacement: at('packages/client/src/file-store.ts') },
      { find: '@godwit/client/relay', replacement: at('packages/client/src/relay.ts') },
      { find: '@godwit/client/indexeddb-store', replacement: at('packages/client/src/indexeddb-store.ts') },
      { find: '#socket', replacement: at('packages/client/src/socket-node.ts') },
      {
        find: /^@godwit\/(protocol|client|broker|bridge|admin|cluster|console|conformance|plugin-\w+)$/,
        replacement: at('packages/$1/src/index.ts'),
      },
      { find: '@godwit/admin/parts', replacement: at('packages/admin/src/parts/index.ts') },
      { find: '@godwit/broker/access', replacement: at('packages/broker/src/access/index.ts') },
      { find: '@godwit/broker/plugin', replacement: at('packages/broker/src/plugin/index.ts') },
      { find: '@godwit/broker/store/lmdb', replacement: at('packages/broker/src/store/lmdb/index.ts') },
      { find: '@godwit/protocol/testing', replacement: at('packages/protocol/src/testing/index.ts') },
      { find: '@godwit/broker/testing', replacement: at('packages/broker/src/testing/index.ts') },
    ],
  },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'test/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    setupFiles: [at('test/property-seed.ts')],
    // Brokers of several tests run at once, and one port is for one HTTP server.
    env: { GODWIT_HTTP__LISTEN: 'none' },
    testTimeout: 20_000,
    // What is waited for comes; when, is the machine's to say.
    expect: { poll: { timeout: 15_000 } },
    // On two cores the default is one; files that wait for a broker, a disk or a child leave room for another.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
})
