export type { WatchOptions } from '../watched-files.js'
export { type AccessAction, type AccessRule, isFilterWithVariables, parseAccessRules } from './access-rule.js'
export { type AccessRequest, type AccessRules, accessRules, type Explanation } from './access-rules.js'
export { AnswerCache } from './answer-cache.js'
export {
  type AuthenticationChain,
  type AuthenticationChainOptions,
  type AuthenticationCounts,
  authenticationChain,
} from './authentication-chain.js'
export type { BackOffOptions } from './back-off.js'
export { type CertificateIdentityOptions, certificateIdentity } from './certificate-identity.js'
export type { RuleSubject } from './client-rules.js'
export { HashQueue } from './hash-queue.js'
export { type HttpAuthenticationOptions, type HttpAuthenticator, httpAuthentication } from './http-authentication.js'
export type { Authenticator, Verdict } from './identity.js'
export { type JwtOptions, jwt } from './jwt.js'
export { mosquittoAcl } from './mosquitto-acl.js'
export { type PasswordFileOptions, passwordFile } from './password-file.js'
export { hashPassword, type PasswordHash, parsePasswordHash, type ScryptCost } from './password-hash.js'
export { type PasswordLine, parsePasswordLines } from './password-lines.js'
