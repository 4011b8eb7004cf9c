// Packs every package of the workspace as `npm publish` would. `npm run pack` builds first, and packs into packed/.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PrepareError, packageFolders, prepare, readJson, report, root, run } from './prepare.mjs'

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

if (process.argv[1] === import.meta.filename) {
  await report(async () => {
    await prepare()
    const folder = join(root, 'packed')
    rmSync(folder, { recursive: true, force: true }) // a tarball of an older version would be installed too
    mkdirSync(folder)
    for (const { tarball } of await packAll(folder)) console.log(tarball)
  })
}
