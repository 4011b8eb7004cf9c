import { existsSync, readdirSync } from 'node:fs'

/** Where Debian has it, on whatever machine. */
export const dynamicSecurityPlugin: string | undefined = ['/usr/lib']
  .flatMap((folder) => (existsSync(folder) ? readdirSync(folder).map((name) => `${folder}/${name}`) : []))
  .map((folder) => `${folder}/mosquitto_dynamic_security.so`)
  .find((path) => existsSync(path))

export const missingDynamicSecurity: string | undefined =
  dynamicSecurityPlugin === undefined
    ? 'mosquitto_dynamic_security.so is not there: apt-get install mosquitto'
    : undefined
