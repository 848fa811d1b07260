import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ConfigError,
  newCredentialKeys,
  projectFolder,
  readConfig,
  readDatabaseUrl,
  readDataFolder,
  usualRetentionDays,
} from '../src/config.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
function privateKeyOf(kind: 'ed25519' | 'x25519'): string {
  const { privateKey } = kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
const logKeyFile = join(tmpdir(), `xinqiao-config-${process.pid}.pem`);
const keysFile = join(tmpdir(), `xinqiao-config-${process.pid}.json`);

describe('what the environment may say', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xinqiao-config-'));
    writeFileSync(keysFile, newCredentialKeys('1'));
    writeFileSync(logKeyFile, privateKeyOf('ed25519'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await rm(keysFile);
    await rm(logKeyFile);
  });

  const read = (env: Record<string, string> = {}) => readConfig({ XINQIAO_DATA: folder, ...env });
  const refusal = (env: Record<string, string | undefined>): string => {
    try {
      readConfig({ XINQIAO_DATA: folder, ...env });
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as Error).message;
    }
    throw new Error('It was taken.');
  };
  const production = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://xinqiao@db/xinqiao',
    PUBLIC_URL: 'https://xinqiao.example',
    CONTENT_URL: 'https://content.xinqiao.example',
    IDENTITY_KEY: KEY,
    CONTACT_KEYS: `2026:${KEY}`,
    CREDENTIAL_KEYS: keysFile,
    ISSUER_KEY_FILE: '/srv/issuer.p12',
    LOG_KEY: logKeyFile,
  };

  it('is nothing: then it runs for one machine, with the samples', () => {
    expect(read({ IDENTITY_KEY: KEY, CONTACT_KEYS: `new:${KEY},old:${KEY}` })).toEqual({
      production: false,
      host: '127.0.0.1',
      port: 8080,
      contentPort: 8081,
      publicUrl: 'http://127.0.0.1:8080',
      contentUrl: 'http://127.0.0.1:8081',
      databaseUrl: undefined,
      dataFolder: folder,
      samples: true,
      sampleCounty: true,
      identityKey: Buffer.alloc(32, 7),
      issuers: [],
      credentialKeys: [
        { kid: 'p1', algorithm: 'ES256', publicJwk: expect.anything(), privateKey: expect.anything() },
        { kid: 'e1', algorithm: 'Ed25519', publicJwk: expect.anything(), privateKey: expect.anything() },
      ],
      issuerKey: { kind: 'development' },
      timestamp: undefined,
      logKey: expect.objectContaining({ type: 'private', asymmetricKeyType: 'ed25519' }),
      contactKeys: [
        { id: 'new', key: Buffer.alloc(32, 7) },
        { id: 'old', key: Buffer.alloc(32, 7) },
      ],
      retentionDays: usualRetentionDays,
      packageMegabytes: 256,
      logLevel: 'warn',
      trustedProxies: [],
      corsOrigins: [],
      graphiql: true,
      introspection: 'everyone',
      rates: {
        viewer: 12_000,
        address: 1_200,
        signIn: 120,
        verification: 60,
        list: 1_000,
        export: 30,
        upload: 60,
      },
      connections: { total: 5_000, perAddress: 1_000, slowestUpload: 2_048 },
      outbound: { allow: [], ports: [443, 8443], allowHttp: false },
    });
    expect(readDataFolder({})).toBe(join(projectFolder, '.xinqiao'));
  });

  it('is more careful in production', () => {
    expect(read(production)).toMatchObject({ graphiql: false, introspection: 'signed-in' });
    expect(read({ ...production, GRAPHIQL: '1', GRAPHQL_INTROSPECTION: 'nobody' })).toMatchObject({
      graphiql: true,
      introspection: 'nobody',
    });
  });

  it('limits what others may do', () => {
    expect(
      read({
        TRUSTED_PROXIES: '10.0.0.0/8, ::1',
        CORS_ORIGINS: 'https://a.example,http://localhost:3000',
        RATE_VIEWER: '0',
        MAX_CONNECTIONS: '10',
        OUTBOUND_ALLOW: 'moodle, .school.example,192.168.0.0/16',
        OUTBOUND_PORTS: '443',
        OUTBOUND_HTTP: '1',
      }),
    ).toMatchObject({
      trustedProxies: ['10.0.0.0/8', '::1'],
      corsOrigins: ['https://a.example', 'http://localhost:3000'],
      rates: { viewer: 0, address: 1_200 },
      connections: { total: 10 },
      outbound: { allow: ['moodle', '.school.example', '192.168.0.0/16'], ports: [443], allowHttp: true },
    });
    for (const [name, value] of [
      ['TRUSTED_PROXIES', '10.0.0.0/33'],
      ['TRUSTED_PROXIES', '*'],
      ['CORS_ORIGINS', '*'],
      ['CORS_ORIGINS', 'https://a.example/'],
      ['CORS_ORIGINS', 'null'],
      ['RATE_VIEWER', '-1'],
      ['RATE_VIEWER', 'many'],
      ['MAX_CONNECTIONS', '0'],
      ['OUTBOUND_ALLOW', 'https://lms.example'],
      ['OUTBOUND_ALLOW', '*'],
      ['OUTBOUND_PORTS', '0'],
      ['GRAPHQL_INTROSPECTION', 'yes'],
    ] as const)
      expect(refusal({ [name]: value })).toContain(name);
  });

  it('is taken, each variable by itself', () => {
    expect(read({ PORT: '9000' })).toMatchObject({ port: 9000, contentPort: 9001 });
    expect(read({ PORT: '65535' })).toMatchObject({ port: 65535, contentPort: 65534 });
    expect(read({ PORT: '0' })).toMatchObject({ port: 0, contentPort: 0 });
    expect(read({ CONTENT_PORT: '7000' })).toMatchObject({ port: 8080, contentPort: 7000 });
    expect(read({ HOST: '::1' })).toMatchObject({ host: '::1', publicUrl: 'http://[::1]:8080' });
    expect(read({ HOST: '0.0.0.0', XINQIAO_SAMPLES: '0' })).toMatchObject({
      host: '0.0.0.0',
      samples: false,
    });
    expect(read({ XINQIAO_SAMPLES: 'staff' })).toMatchObject({ samples: true, sampleCounty: false });
    expect(read({ PUBLIC_URL: 'https://a.example/' }).publicUrl).toBe('https://a.example');
    expect(read({ CONTENT_URL: 'https://b.example:8443' }).contentUrl).toBe('https://b.example:8443');
    expect(read({ LOG_LEVEL: 'debug' }).logLevel).toBe('debug');
    expect(readDatabaseUrl({ DATABASE_URL: 'postgresql://db/x' })).toBe('postgresql://db/x');
    expect(readDataFolder({ XINQIAO_DATA: '/srv/xinqiao/' })).toBe('/srv/xinqiao');
  });

  it('may be set to nothing, which is the same as not set', () => {
    const names = [
      'NODE_ENV',
      'HOST',
      'PORT',
      'CONTENT_PORT',
      'PUBLIC_URL',
      'CONTENT_URL',
      'DATABASE_URL',
      'XINQIAO_SAMPLES',
      'LOG_LEVEL',
      'CONTACT_KEYS',
      'CREDENTIAL_KEYS',
      'LOG_KEY',
      'RETENTION_DAYS',
    ];
    for (const nothing of ['', ' '])
      expect(read(Object.fromEntries(names.map((name) => [name, nothing])))).toEqual(read());
  });

  it.each([
    [{ PORT: 'http' }, 'PORT=http is not a port: use a whole number from 0 to 65535.'],
    [{ PORT: '65536' }, 'PORT=65536 is not a port: use a whole number from 0 to 65535.'],
    [{ PORT: '-1' }, 'PORT=-1 is not a port: use a whole number from 0 to 65535.'],
    [{ PORT: '1e3' }, 'PORT=1e3 is not a port: use a whole number from 0 to 65535.'],
    [{ CONTENT_PORT: '80.5' }, 'CONTENT_PORT=80.5 is not a port: use a whole number from 0 to 65535.'],
    [
      { CONTENT_PORT: '8080' },
      'CONTENT_PORT must differ from PORT: uploaded content needs an origin of its own.',
    ],
    [
      { PUBLIC_URL: 'https://x.example', CONTENT_URL: 'https://x.example/' },
      'CONTENT_URL=https://x.example must differ from PUBLIC_URL: uploaded content needs an origin of its own.',
    ],
    [
      { PUBLIC_URL: 'https://x.example/app' },
      'PUBLIC_URL=https://x.example/app is not an origin: use e.g. https://xinqiao.example, with no path.',
    ],
    [
      { CONTENT_URL: 'x.example' },
      'CONTENT_URL=x.example is not an origin: use e.g. https://xinqiao.example, with no path.',
    ],
    [
      { PUBLIC_URL: 'ftp://x.example' },
      'PUBLIC_URL=ftp://x.example is not an origin: use e.g. https://xinqiao.example, with no path.',
    ],
    [{ DATABASE_URL: 'mysql://db/x' }, 'DATABASE_URL must begin with postgres:// or postgresql://.'],
    [{ XINQIAO_SAMPLES: 'yes' }, 'XINQIAO_SAMPLES=yes is unknown: use 0 or 1 or staff.'],
    [
      { LOG_LEVEL: 'loud' },
      'LOG_LEVEL=loud is unknown: use trace or debug or info or warn or error or fatal or silent.',
    ],
    [
      { HOST: '0.0.0.0' },
      'HOST=0.0.0.0 would offer the sample sign-ins, which need no password, to the network. Use 127.0.0.1, or XINQIAO_SAMPLES=0.',
    ],
    [
      { IDENTITY_KEY: 'c2hvcnQ=' },
      'IDENTITY_KEY must be 32 bytes in base64: make one with `openssl rand -base64 32`.',
    ],
  ])('%j is refused, by its name and with what to do', (env, message) => {
    expect(refusal(env)).toBe(message);
  });

  it('must be said in full in production', () => {
    expect(readConfig(production)).toMatchObject({ production: true, samples: false, sampleCounty: false });
    for (const name of [
      'DATABASE_URL',
      'PUBLIC_URL',
      'CONTENT_URL',
      'IDENTITY_KEY',
      'CONTACT_KEYS',
      'CREDENTIAL_KEYS',
      'ISSUER_KEY_FILE',
      'LOG_KEY',
    ])
      expect(refusal({ ...production, [name]: undefined })).toMatch(
        new RegExp(`^${name} is required with NODE_ENV=production`),
      );
    for (const samples of ['1', 'staff'])
      expect(refusal({ ...production, XINQIAO_SAMPLES: samples })).toBe(
        `XINQIAO_SAMPLES=${samples} is refused with NODE_ENV=production: sample sign-ins need no password.`,
      );
  });

  it('about the key that signs certificates names a file, or a program and its chain', () => {
    const { ISSUER_KEY_FILE: _file, ...without } = production;
    expect(
      read({ ...without, ISSUER_SIGN_COMMAND: 'hsm-sign --slot 1', ISSUER_CHAIN_FILE: '/c' }).issuerKey,
    ).toEqual({
      kind: 'command',
      command: ['hsm-sign', '--slot', '1'],
      chainFile: '/c',
    });
    expect(read({ ISSUER_SIGN_COMMAND: '["a b", "c"]', ISSUER_CHAIN_FILE: '/c' }).issuerKey).toMatchObject({
      command: ['a b', 'c'],
    });
    expect(refusal({ ISSUER_SIGN_COMMAND: 'x' })).toMatch(/^ISSUER_SIGN_COMMAND needs ISSUER_CHAIN_FILE/);
    expect(refusal({ ISSUER_SIGN_COMMAND: '[1]', ISSUER_CHAIN_FILE: '/c' })).toMatch(/no JSON array/);
    expect(refusal({ ISSUER_SIGN_COMMAND: 'x', ISSUER_KEY_FILE: 'y' })).toMatch(/not both/);
    expect(refusal({ ISSUER_KEY_PASSWORD_FILE: 'x' })).toMatch(/of no use/);
    expect(refusal({ ISSUER_CHAIN_FILE: 'x' })).toMatch(/of no use/);
    expect(read({ TIMESTAMP_URL: 'http://tsa.example/' }).timestamp).toEqual({
      url: 'http://tsa.example/',
      required: true,
    });
    expect(read({ TIMESTAMP_URL: 'https://tsa.example/', TIMESTAMP_REQUIRED: '0' }).timestamp!.required).toBe(
      false,
    );
    expect(refusal({ TIMESTAMP_URL: 'tsa' })).toMatch(/not the address of a timestamp authority/);
  });

  describe('about issuers', () => {
    const name = { 'zh-CN': '湖南', en: 'Hunan' };
    const issuer = { key: 'hunan', issuer: 'https://id.example', name, clientId: 'xinqiao' };
    const issuers = (...given: object[]) => ({ OIDC_ISSUERS: JSON.stringify(given) });

    it('is a list, inline or in a file, with what is usual filled in', async () => {
      const usual = {
        ...issuer,
        clientSecret: undefined,
        audiences: ['xinqiao'],
        scopes: [],
        staffNumberClaim: 'staff_number',
        divisionCode: undefined,
        algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
        clockSkewSeconds: 60,
      };
      expect(read(issuers(issuer)).issuers).toEqual([usual]);
      const file = join(folder, 'issuers.json');
      await writeFile(file, JSON.stringify([issuer]));
      expect(read({ OIDC_ISSUERS: file }).issuers).toEqual([usual]);
      expect(
        read(issuers({ ...issuer, audiences: ['https://api.example'], divisionCode: '430000' })).issuers[0],
      ).toMatchObject({ audiences: ['https://api.example'], divisionCode: '430000' });
      expect(read(issuers({ ...issuer, issuer: 'http://127.0.0.1:3000' })).issuers).toHaveLength(1);
    });

    it.each([
      [{ ...issuer, issuer: 'http://id.example' }, '0.issuer'],
      [{ ...issuer, issuer: 'https://id.example?x=1' }, '0.issuer'],
      [{ ...issuer, issuer: 'https://a:b@id.example' }, '0.issuer'],
      [{ ...issuer, issuer: 'id.example' }, '0.issuer'],
      [{ ...issuer, key: 'Hu Nan' }, '0.key'],
      [{ ...issuer, key: 'callback' }, '0.key'],
      [{ ...issuer, name: { en: 'Hunan' } }, '0.name.zh-CN'],
      [{ ...issuer, algorithms: ['HS256'] }, '0.algorithms.0'],
      [{ ...issuer, algorithms: ['none'] }, '0.algorithms.0'],
      [{ ...issuer, algorithms: [] }, '0.algorithms'],
      [{ ...issuer, clockSkewSeconds: 301 }, '0.clockSkewSeconds'],
      [{ ...issuer, divisionCode: '43' }, '0.divisionCode'],
      [{ ...issuer, scopes: ['two words'] }, '0.scopes.0'],
      [{ ...issuer, audience: 'x' }, 'the top|0'],
      [{ key: 'x', issuer: 'https://id.example', name }, '0.audiences'],
      [
        { key: 'x', issuer: 'https://id.example', name, audiences: ['x'], clientSecret: 's' },
        '0.clientSecret',
      ],
    ])('is refused with its place: %o', (given, place) => {
      expect(refusal(issuers(given))).toMatch(new RegExp(`^OIDC_ISSUERS, at (${place}): `));
    });

    it('is refused when two have the same key or address, when it is no JSON, and on http in production', () => {
      expect(refusal(issuers(issuer, { ...issuer, issuer: 'https://b.example' }))).toMatch(/at 1\.key: /);
      expect(refusal(issuers(issuer, { ...issuer, key: 'b' }))).toMatch(/at 1\.issuer: /);
      expect(refusal({ OIDC_ISSUERS: '[{' })).toMatch(/is not JSON/);
      expect(refusal({ OIDC_ISSUERS: join(folder, 'none.json') })).toMatch(/can't be read: ENOENT/);
      const local = issuers({ ...issuer, issuer: 'http://127.0.0.1:3000' });
      expect(refusal({ ...production, ...local })).toMatch(/at 0\.issuer: it must be an https address/);
    });

    it('is refused without telling the secrets in it', () => {
      const clientSecret = 'hunter2';
      expect(refusal(issuers({ ...issuer, clientSecret, key: '!' }))).not.toContain(clientSecret);
      expect(refusal(issuers({ ...issuer, clientSecret, [clientSecret]: 1, key: '!' }))).not.toContain(
        'hunan',
      );
      expect(refusal({ OIDC_ISSUERS: `[{"clientSecret": "${clientSecret}"` })).not.toContain(clientSecret);
    });
  });

  it('tells no secret in a refusal', () => {
    const secret = 'mysql://xinqiao:hunter2@db/x';
    expect(refusal({ DATABASE_URL: secret })).not.toContain('hunter2');
    expect(refusal({ IDENTITY_KEY: 'aHVudGVyMg==' })).not.toContain('aHVudGVyMg');
    expect(refusal({ CONTACT_KEYS: 'aHVudGVyMg==' })).not.toContain('aHVudGVyMg');
  });

  it('names keys for contacts, the current one first, and days for what is kept', async () => {
    expect(refusal({ CONTACT_KEYS: `1:${KEY} 1:${KEY}` })).toBe('CONTACT_KEYS has two keys with the id 1.');
    expect(refusal({ CONTACT_KEYS: `too-long-an-id:${KEY}` })).toContain('id:key');
    const { contactKeys } = read();
    expect(read().contactKeys).toEqual(contactKeys);
    expect(statSync(join(folder, 'contact.keys')).mode & 0o777).toBe(0o600);
    const file = join(folder, 'contact.keys');
    await writeFile(file, `2:${KEY}\n1:${contactKeys[0]!.key.toString('base64')}\n`);
    expect(read().contactKeys.map(({ id }) => id)).toEqual(['2', '1']);

    expect(read({ RETENTION_DAYS: 'sessions=7, statements=30' }).retentionDays).toEqual({
      ...usualRetentionDays,
      sessions: 7,
      statements: 30,
    });
    for (const wrong of ['sessions=0', 'sessions', 'certificates=1', 'sessions=1.5'])
      expect(refusal({ RETENTION_DAYS: wrong })).toContain(`RETENTION_DAYS holds ${wrong}: use name=days`);
  });

  it('names a file of keys for credentials: both kinds, each with its own name and its own halves', async () => {
    const made = JSON.parse(newCredentialKeys('2')) as { keys: Record<string, string>[] };
    const [p256, ed25519] = made.keys as [Record<string, string>, Record<string, string>];
    const file = join(folder, 'given.json');
    const given = async (text: unknown): Promise<string> => {
      await writeFile(file, typeof text === 'string' ? text : JSON.stringify(text));
      return refusal({ CREDENTIAL_KEYS: file });
    };
    await writeFile(file, newCredentialKeys('3', made.keys));
    expect(
      read({ CREDENTIAL_KEYS: file }).credentialKeys.map(({ kid, algorithm }) => `${kid} ${algorithm}`),
    ).toEqual(['p3 ES256', 'e3 Ed25519', 'p2 ES256', 'e2 Ed25519']);
    // Those that sign no more need no private part.
    const { d: _p, ...publicP256 } = p256;
    await writeFile(file, newCredentialKeys('3', [publicP256]));
    expect(read({ CREDENTIAL_KEYS: file }).credentialKeys.at(-1)).toMatchObject({
      kid: 'p2',
      privateKey: undefined,
    });

    const wrong = [
      [JSON.stringify(made).slice(0, -9), 'is not JSON'],
      [{ keys: 'x' }, 'at keys: it should be a JSON Web Key Set'],
      [{ keys: [{ ...p256, kid: 'a b' }, ed25519] }, 'at keys.0'],
      [{ keys: [p256] }, 'has no private key of Ed25519'],
      [{ keys: [publicP256, ed25519] }, 'has no private key of P-256'],
      [{ keys: [p256, { ...ed25519, kid: p256['kid'] }] }, 'has two keys with the kid p2'],
      [{ keys: [{ ...p256, d: p256['x'] }, ed25519] }, 'at keys.0: p2 is no such key'],
      [{ keys: [{ ...p256, x: p256['y'] }, ed25519] }, 'at keys.0: p2 is no such key'],
      [{ keys: [p256, { ...ed25519, d: 'AAAA' }] }, 'at keys.1: e2 is no such key'],
    ] as const;
    for (const [text, why] of wrong) {
      const told = await given(text);
      expect(told).toContain(why);
      expect(told).not.toContain(p256['d']);
    }
    expect(refusal({ CREDENTIAL_KEYS: join(folder, 'none.json') })).toContain("can't be read: ENOENT");
    expect(statSync(join(folder, 'credential-keys.json')).mode & 0o777).toBe(0o600);
    // However a key is written down, its private part is not in it.
    const { credentialKeys } = read();
    const secret = (JSON.parse(readFileSync(join(folder, 'credential-keys.json'), 'utf8')) as typeof made)
      .keys[0]!['d']!;
    expect(JSON.stringify(credentialKeys) + inspect(credentialKeys, { depth: 9 })).not.toContain(secret);
  });

  it('takes no key for the log but a private Ed25519 one, and tells nothing of it', async () => {
    const file = join(folder, 'log.pem');
    for (const wrong of ['hello', privateKeyOf('ed25519').slice(0, 60), privateKeyOf('x25519')]) {
      await writeFile(file, wrong);
      expect(refusal({ LOG_KEY: file })).toBe(`LOG_KEY (${file}) is no private Ed25519 key in PEM.`);
    }
    expect(refusal({ LOG_KEY: join(folder, 'none.pem') })).toContain("can't be read: ENOENT");
    read();
    expect(statSync(join(folder, 'log.key')).mode & 0o777).toBe(0o600);
  });

  it('keeps a key of its own beside the data, for its owner alone, and would rather not start than use half of one', async () => {
    const own = join(folder, 'fresh');
    const { identityKey } = readConfig({ XINQIAO_DATA: own });
    expect(identityKey).toHaveLength(32);
    expect(readConfig({ XINQIAO_DATA: own }).identityKey).toEqual(identityKey);
    expect(statSync(join(own, 'identity.key')).mode & 0o777).toBe(0o600);
    await writeFile(join(own, 'identity.key'), '');
    expect(refusal({ XINQIAO_DATA: own })).toMatch(/identity\.key holds no key of 32 bytes/);
    expect(existsSync(join(own, 'identity.key'))).toBe(true);
  });

  it('may name a data folder that can not be written, and is told so', async () => {
    await writeFile(join(folder, 'file'), '');
    expect(refusal({ XINQIAO_DATA: join(folder, 'file', 'data') })).toMatch(
      /^The data folder .*can't be written: .*Set XINQIAO_DATA to a folder that can\.$/,
    );
  });

  describe('forwards statements where a store is named', () => {
    const store = { LRS_URL: 'https://lrs.example/xapi/', LRS_KEY: 'key', LRS_SECRET: 'so:secret' };

    it('with its key, the secret also from a file, and nowhere otherwise', async () => {
      expect(read({}).lrs).toBeUndefined();
      expect(read(store).lrs).toEqual({ url: 'https://lrs.example/xapi', key: 'key', secret: 'so:secret' });
      const file = join(folder, 'lrs.secret');
      await writeFile(file, 'from a file\n');
      expect(read({ ...store, LRS_SECRET: '', LRS_SECRET_FILE: file }).lrs?.secret).toBe('from a file');
    });

    it('and says what is wrong, without the secret', () => {
      for (const [env, said] of [
        [{ ...store, LRS_URL: 'lrs.example' }, /LRS_URL is the https address/],
        [{ ...store, LRS_URL: 'https://key:secret@lrs.example' }, /LRS_URL is the https address/],
        [{ ...store, LRS_SECRET: '' }, /needs LRS_KEY, and LRS_SECRET/],
        [{ ...store, LRS_KEY: 'a:b' }, /LRS_KEY holds a colon/],
        [{ ...store, LRS_SECRET_FILE: '/none' }, /not both/],
        [{ ...store, LRS_SECRET: '', LRS_SECRET_FILE: '/none' }, /can't be read: ENOENT/],
        [{ LRS_KEY: 'key' }, /LRS_KEY is of no use without LRS_URL/],
      ] as const) {
        expect(refusal(env)).toMatch(said);
        expect(refusal(env)).not.toContain('so:secret');
      }
    });
  });
});
