// Packs every package of the workspace as `npm publish` would.
import { join } from 'node:path'
import { PrepareError, packageFolders, readJson, run } from './prepare.mjs'

/**
 * One packed package.
 * @typedef {object} Packed
 * @property {string} name
 * @property {Record<string, any>} manifest Its package.json.
 * @property {string} tarball
 */

/**
 * @param {string} destination An existing folder.
 * @returns {Promise<Packed[]>} In no particular order.
 */
export async function packAll(destination) {
  const { code, output } = await run('npm', ['pack', '--workspaces', '--pack-destination', destination], {
    quiet: true,
  })
  if (code !== 0) throw new PrepareError(`npm pack failed\n${output}`)
  return packageFolders().map((folder) => {
    const manifest = readJson(`${folder}/package.json`)
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`
    return { name: manifest.name, manifest, tarball: join(destination, file) }
  })
}
