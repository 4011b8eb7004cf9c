// What the packages consist of, as CycloneDX: `npm sbom` lists all that is installed, and what no package of ours needs when
// it runs is left out here. (npm's own --omit=dev also leaves out what a tool needs as well.)
import { PrepareError, packageFolders, readJson, run } from './prepare.mjs'

/** @typedef {{ 'bom-ref': string, name: string, purl: string }} Component */
/** @typedef {{ metadata: { component: Component }, components: Component[], dependencies: { ref: string, dependsOn: string[] }[] }} Bom */

/** @returns {Promise<Bom>} */
export async function sbom() {
  const { code, output } = await run('npm', ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'], {
    quiet: true,
  })
  if (code !== 0) throw new PrepareError(`npm sbom failed\n${output}`)
  /** @type {Bom} */
  const all = JSON.parse(output.slice(output.indexOf('{')))
  const needed = reachable(all)
  const bom = {
    ...all,
    metadata: { ...all.metadata, component: named(all.metadata.component) },
    components: all.components.filter((one) => needed.has(one['bom-ref'])).map(named),
    dependencies: all.dependencies.filter(({ ref }) => needed.has(ref)),
  }
  requireWhole(bom)
  return bom
}

const ours = () => packageFolders().map((folder) => readJson(`${folder}/package.json`))

/** References of our packages and of all they need, however far away. @param {Bom} bom */
function reachable({ dependencies }) {
  const needs = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]))
  const found = new Set(ours().map(({ name, version }) => `${name}@${version}`))
  for (const ref of found) for (const next of needs.get(ref) ?? []) found.add(next)
  return found
}

/** npm calls what lies in the workspace by its folder. @param {Component} one */
const named = (one) => ({ ...one, name: one['bom-ref'].replace(/@[^@]+$/, '') })

/** Each package of ours and each dependency that one names must be in it. @param {Bom} bom */
function requireWhole({ components }) {
  const names = new Set(components.map(({ name }) => name))
  const wanted = ours().flatMap(({ name, dependencies = {} }) => [name, ...Object.keys(dependencies)])
  const missing = wanted.filter((name) => !names.has(name))
  if (missing.length > 0)
    throw new PrepareError(`the list of components lacks ${missing.join(', ')}: npm ci, then again`)
}
