/** The part of reflect-metadata that @peculiar/x509's container asks for; nothing is injected by type, so it is always empty. */
Object.assign(Reflect, {
  getMetadata: () => undefined,
  getOwnMetadata: () => undefined,
  defineMetadata: () => {},
})
