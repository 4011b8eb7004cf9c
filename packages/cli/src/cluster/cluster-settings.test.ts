import { describe, expect, it } from 'vitest'
import { CommandError } from '../command-error.js'
import { defaultLayer } from '../config/layers.js'
import { type Resolved, resolve } from '../config/resolve.js'
import { defaults } from '../config/schema.js'
import { askEngine, checkCluster, nodeName } from './cluster-settings.js'

const settings = (cluster: object, more: object = {}): Resolved =>
  resolve([defaultLayer(defaults), defaultLayer({ cluster: { name: 'plant', ...cluster }, ...more })])
const here = { servers: ['nats://127.0.0.1:4222'] }

/** What is wrong, in words. */
function problem(of: () => unknown): string {
  try {
    of()
    return 'nothing'
  } catch (error) {
    if (error instanceof CommandError) return error.message
    throw error
  }
}

describe('the settings of a cluster', () => {
  it('are right for servers of this machine, and for others with credentials', () => {
    expect(problem(() => checkCluster(settings(here)))).toBe('nothing')
    const far = { servers: ['nats://10.0.0.1:4222'] }
    expect(problem(() => checkCluster(settings({ ...far, credentialsFile: 'plant.creds' })))).toBe('nothing')
    expect(problem(() => checkCluster(settings({ ...far, user: 'godwit', password: 'x' })))).toBe('nothing')
  })

  it.each([
    ['a node that keeps nothing', here, { data: 'memory' }, 'needs a data folder'],
    ['strangers that may write', { servers: ['nats://10.0.0.1:4222'] }, {}, 'owns every session'],
  ])('refuse %s', (_, cluster, more, words) => {
    expect(problem(() => checkCluster(settings(cluster, more)))).toContain(words)
  })

  it.each([
    ['a name with a dot', { name: 'a.b', ...here }, 'letters, digits'],
    ['no server', { servers: [] }, 'servers'],
    ['a URL of another kind', { servers: ['http://127.0.0.1:4222'] }, 'nats://10.0.0.1:4222'],
    ['a name that is none of ours', { ...here, lease: 3 }, 'lease'],
    ['a lease too short', { ...here, leaseMs: 10 }, '1000'],
  ])('do not know %s', (_, cluster, words) => {
    expect(problem(() => settings(cluster))).toContain(words)
  })

  it('name the node by the machine, unless they say another name', () => {
    expect(nodeName(settings({ ...here, node: 'a' }).config.cluster!)).toBe('a')
    expect(nodeName(settings(here).config.cluster!)).toMatch(/^[A-Za-z0-9_-]+$/)
  })

  it('say in one line that nobody answers', async () => {
    const nobody = settings({ servers: ['nats://127.0.0.1:1'] })
    await expect(askEngine(nobody, nobody.config.cluster!)).rejects.toThrow('none of nats://127.0.0.1:1 can be used')
  })
})
