import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importStage, open } from '../../test/import-stage.js'

const { home, imported, folderOf } = importStage()

describe('what guards is never less than in mosquitto', () => {
  const tls = ['listener 8883', 'certfile c', 'keyfile k', 'cafile a']

  test('a certificate that is asked for, without who signs: the result is refused', () => {
    const { values, told } = imported(...open, 'listener 8883', 'certfile c', 'keyfile k', 'require_certificate true')
    expect(values.listeners).toMatchObject([{ tls: { requestCert: true } }])
    expect(told).toEqual([expect.stringMatching(/^5: require_certificate true: it needs tls\.ca/)])
  })

  test('a name from the certificate: nobody without one, whatever holds for others', () => {
    for (const option of ['use_identity_as_username', 'use_subject_as_username']) {
      const of = (...lines: readonly string[]) => imported(...open, ...tls, ...lines, `${option} true`).values.listeners
      expect(of()).toMatchObject([{ auth: { certificate: 'cn' }, allowAnonymous: false }])
      expect(of('require_certificate true')).toMatchObject([
        { auth: { certificate: 'cn' }, tls: { requestCert: true } },
      ])
    }
  })

  test('without TLS mosquitto asks for the password all the same', () => {
    const { values, told } = imported('listener 1884', 'password_file /p', 'use_identity_as_username true')
    expect([values.auth, values.listeners]).toMatchObject([{ passwordFile: '/p' }, [{ protocol: 'mqtt' }]])
    expect((values.listeners as object[])[0]).not.toHaveProperty('auth')
    expect(told).toEqual([expect.stringMatching(/^3: .*its listener has no TLS/)])
  })

  test('without a listener, programs of this machine need no password', () => {
    expect(imported('password_file /p').values).toMatchObject({
      listeners: [{ host: '127.0.0.1', allowAnonymous: true }],
      auth: { passwordFile: '/p' },
    })
  })

  test('a plugin that guards is missing: nobody may do anything until somebody says who', () => {
    const { values, remarks } = imported(...open, 'listener 1884', 'auth_plugin /go-auth.so')
    expect(values.acl).toEqual({ rules: [] })
    expect(remarks).toEqual([expect.stringMatching(/^3: auth_plugin \/go-auth\.so: acl\.rules is empty in its place/)])
  })

  test('capath: the certificates that OpenSSL finds in it', () => {
    const folder = folderOf('ca.d', { 'one.pem': '', 'two.pem': '', 'unhashed.pem': '' })
    symlinkSync('one.pem', join(folder, '0a0b0c0d.0'))
    symlinkSync('two.pem', join(folder, '0a0b0c0d.1'))
    const { values, told, remarks } = imported(...open, ...tls, `capath ${folder}`, 'require_certificate true')
    expect(values.listeners).toMatchObject([
      { tls: { ca: ['a', join(folder, 'one.pem'), join(folder, 'two.pem')], requestCert: true } },
    ])
    expect([told, remarks]).toEqual([[], [expect.stringMatching(/tls\.ca names the files that are in it now/)]])
  })

  test('an interface is one address, and this machine alone where there is none of that name', () => {
    const hosts = (...lines: readonly string[]) =>
      (imported(...open, ...lines).values.listeners as { host: string }[]).map(({ host }) => host)
    expect(hosts('listener 1884', 'bind_interface lo')).toEqual(['127.0.0.1'])
    expect(hosts('listener 1884', 'bind_interface eth77')).toEqual(['127.0.0.1'])
    expect(hosts('listener 1884 10.0.0.1', 'bind_interface eth77')).toEqual(['10.0.0.1'])
  })

  test('lines of a password file that need something are told at the import', () => {
    const passwords = join(home, 'passwords')
    const argon2 = '$argon2id$v=19$m=47104,t=1,p=1$AAAAAAAAAAA$BBBBBBBBBBBB'
    writeFileSync(passwords, `# ours\nann:$7$101$AAAA$BBBB\nbob:${argon2}\neve\ndan:plain\nann:$6$AAAA$BBBB\n`)
    expect(imported('listener 1884', `password_file ${passwords}`).told).toEqual([
      expect.stringMatching(/argon2id \(lines 3\) need a package: npm install @node-rs\/argon2$/),
      expect.stringMatching(/passwords:4: a line is USER:HASH; mosquitto passes over the line, the broker does not/),
      expect.stringMatching(/passwords:5: its password is not hashed/),
      expect.stringMatching(/passwords:6: the user has a line already/),
    ])
  })

  test('lines of an acl_file too', () => {
    const acl = join(home, 'acl')
    writeFileSync(acl, 'topic read $share/g/a/#\npattern read a/b\n')
    const { remarks, told } = imported(...open, 'listener 1884', `acl_file ${acl}`)
    expect([remarks.length, told]).toEqual([2, []])
    writeFileSync(acl, 'topics a\n')
    expect(imported(...open, 'listener 1884', `acl_file ${acl}`).told).toEqual([
      expect.stringMatching(/acl:1: 'topics' begins no line/),
    ])
  })
})
