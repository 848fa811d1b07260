import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import ipaddr from 'ipaddr.js';

/** Everything the service may be told from outside. Only this file reads the environment. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** Second listener: H5P content, on an origin of its own. */
  readonly contentPort: number;
  /** Where browsers reach the service, no trailing slash. */
  readonly publicUrl: string;
  readonly contentUrl: string;
  /** A PostgreSQL ≥ 15; undefined = run the embedded one. */
  readonly databaseUrl: string | undefined;
  /** The same database for a role that owns nothing; undefined = the service signs in as the owner, and takes on a lesser role. */
  readonly serviceDatabaseUrl: string | undefined;
  /** The service's own files: embedded database, unpacked contents, built pages, keys. */
  readonly dataFolder: string;
  /** Ways in without a password: the sample staff, and anyone by staff number. Never in production. */
  readonly samples: boolean;
  /** Whether a start also brings up the sample county. */
  readonly sampleCounty: boolean;
  /** HMAC key for matching identity numbers; 32 bytes. Losing it loses the matching, not the records. */
  readonly identityKey: Buffer;
  /** Keys under which contacts and uploads are encrypted, 32 bytes each; the first one encrypts. Losing one loses what it encrypted. */
  readonly contactKeys: readonly { readonly id: string; readonly key: Buffer }[];
  /** Keys that sign credentials and the QR codes of certificates; of each algorithm the first one that has a private part signs. */
  readonly credentialKeys: readonly CredentialKey[];
  /** With what certificates are signed. */
  readonly issuerKey: IssuerKeyConfig;
  /** Who confirms when they were signed (RFC 3161); undefined: nobody does. */
  readonly timestamp: { readonly url: string; readonly required: boolean } | undefined;
  /** Signs the checkpoints of the transparency log, and nothing else: Ed25519. */
  readonly logKey: KeyObject;
  /** How many days what is named is kept; src/people/DATA.md says from when, and why so long. */
  readonly retentionDays: Readonly<Record<RetentionRule, number>>;
  /** Who may say who somebody is, by OpenID Connect. */
  readonly issuers: readonly IssuerConfig[];
  readonly logLevel: string;
  /** Networks and addresses of reverse proxies whose word about the caller is taken. */
  readonly trustedProxies: readonly string[];
  /** Origins besides the service's own whose pages may ask the GraphQL door. */
  readonly corsOrigins: readonly string[];
  /** The page to ask by hand, at the GraphQL door. */
  readonly graphiql: boolean;
  /** Who may ask what the contract is. */
  readonly introspection: Introspection;
  /** Where statements are forwarded to; undefined: they stay here. */
  readonly lrs: LrsConfig | undefined;
  readonly rates: Rates;
  readonly connections: ConnectionLimits;
  /** Where contents and their media lie; undefined: in the data folder. */
  readonly contentBucket: BucketConfig | undefined;
  /** What an H5P package may hold, unpacked. */
  readonly packageMegabytes: number;
  /** Where the service may go by itself. */
  readonly outbound: {
    readonly allow: readonly string[];
    readonly ports: readonly number[];
    readonly allowHttp: boolean;
  };
}

/** A bucket of a storage that speaks S3. */
export interface BucketConfig {
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** ES256 signs what is small and checked in browsers, Ed25519 the proofs of credentials. */
export interface CredentialKey {
  readonly kid: string;
  readonly algorithm: 'ES256' | 'Ed25519';
  /** undefined: it signs no more, and what it signed is still checked. A KeyObject never shows itself in a log. */
  readonly privateKey: KeyObject | undefined;
  readonly publicJwk: Readonly<Record<'kty' | 'crv' | 'x', string>> & { readonly y?: string };
}

const INTROSPECTION = ['everyone', 'signed-in', 'nobody'] as const;
export type Introspection = (typeof INTROSPECTION)[number];

/** Where the key is that signs certificates: made on the first start, in a file, or held by another program. */
export type IssuerKeyConfig =
  | { readonly kind: 'development' }
  | {
      readonly kind: 'file';
      /** PEM or PKCS#12. */
      readonly file: string;
      readonly passwordFile: string | undefined;
      readonly chainFile: string | undefined;
    }
  | { readonly kind: 'command'; readonly command: readonly string[]; readonly chainFile: string };

/** A learning record store that speaks xAPI 1.0.3. */
export interface LrsConfig {
  /** Its endpoint, no trailing slash: `/statements` comes behind. */
  readonly url: string;
  readonly key: string;
  readonly secret: string;
}

/** How much in a minute; 0 is no limit. */
export interface Rates {
  /** Of one person: a request is 1, and a large query more, by its cost. */
  readonly viewer: number;
  /** Of one address, by all who are not signed in, measured alike. */
  readonly address: number;
  /** Sign-ins tried from one address. */
  readonly signIn: number;
  /** Certificates looked up from one address by who is not signed in. */
  readonly verification: number;
  /** Rows of lists verified from one address; a name that differs counts for twenty. */
  readonly list: number;
  /** Tables begun by one person. */
  readonly export: number;
  /** Uploads of one person. */
  readonly upload: number;
}

export interface ConnectionLimits {
  /** Open at once on each of the two listeners. */
  readonly total: number;
  /** Of them from one address; a trusted proxy has many callers and may have all. */
  readonly perAddress: number;
  /** Bytes a second that the body of a request comes with at least; a short pause is forgiven. */
  readonly slowestUpload: number;
}

/** An OpenID provider that is trusted, as OIDC_ISSUERS describes it. */
export interface IssuerConfig {
  /** Stands in addresses: `/sign-in/<key>`. */
  readonly key: string;
  /** Its identifier, character by character as its tokens have it. */
  readonly issuer: string;
  readonly name: { readonly 'zh-CN': string; readonly en: string };
  /** As which the service is known there; undefined: its tokens are taken, and nobody signs in by browser. */
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  /** One of these must be among a bearer token's audiences. */
  readonly audiences: readonly string[];
  /** What the browser sign-in asks for, besides `openid`. */
  readonly scopes: readonly string[];
  readonly staffNumberClaim: string;
  /** Whose staff numbers these are; undefined: they are unique among all. */
  readonly divisionCode: string | undefined;
  readonly algorithms: readonly string[];
  readonly clockSkewSeconds: number;
}

/** What is kept for a time only, and for how many days unless RETENTION_DAYS says otherwise. */
export const usualRetentionDays = {
  sessions: 30,
  'access-tokens': 30,
  'roster-refusals': 90,
  'roster-doubts': 365,
  'user-states': 365,
  statements: 3 * 365,
  'time-stretches': 3 * 365,
  'time-flags': 3 * 365,
  responses: 2 * 365,
  efficacy: 3 * 365,
  'conversation-moves': 2 * 365,
  'platform-accounts': 90,
  people: 3 * 365,
} as const satisfies Readonly<Record<string, number>>;
export type RetentionRule = keyof typeof usualRetentionDays;

export class ConfigError extends Error {
  override name = 'ConfigError';
}

export const projectFolder: string = resolve(import.meta.dirname, '..');

const IDENTITY_KEY_FILE = 'identity.key';
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** @throws ConfigError naming the variable and what it should be. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const production = env['NODE_ENV'] === 'production';
  const dataFolder = readDataFolder(env);
  const host = textOf(env, 'HOST') ?? '127.0.0.1';
  const port = portOf(env, 'PORT', 8080);
  const contentPort = portOf(env, 'CONTENT_PORT', port === 0 ? 0 : port === 65_535 ? port - 1 : port + 1);
  if (contentPort === port && port !== 0)
    throw new ConfigError('CONTENT_PORT must differ from PORT: uploaded content needs an origin of its own.');
  const sampleMode = choice(env, 'XINQIAO_SAMPLES', ['0', '1', 'staff'], production ? '0' : '1');
  const samples = sampleMode !== '0';
  const databaseUrl = readDatabaseUrl(env);

  if (production && samples)
    throw new ConfigError(
      `XINQIAO_SAMPLES=${sampleMode} is refused with NODE_ENV=production: sample sign-ins need no password.`,
    );
  if (production && databaseUrl === undefined)
    throw new ConfigError(
      'DATABASE_URL is required with NODE_ENV=production, e.g. postgres://user:password@host/xinqiao.',
    );
  if (samples && !['127.0.0.1', '::1', 'localhost'].includes(host)) {
    throw new ConfigError(
      `HOST=${host} would offer the sample sign-ins, which need no password, to the network. Use 127.0.0.1, or XINQIAO_SAMPLES=0.`,
    );
  }
  const publicUrl = urlOf(env, 'PUBLIC_URL', `http://${hostInUrl(host)}:${port}`, production);
  const contentUrl = urlOf(env, 'CONTENT_URL', `http://${hostInUrl(host)}:${contentPort}`, production);
  if (contentUrl === publicUrl && !(port === 0 && contentPort === 0))
    throw new ConfigError(
      `CONTENT_URL=${contentUrl} must differ from PUBLIC_URL: uploaded content needs an origin of its own.`,
    );
  return {
    production,
    host,
    port,
    contentPort,
    publicUrl,
    contentUrl,
    databaseUrl,
    serviceDatabaseUrl: readUrl(env, 'SERVICE_DATABASE_URL'),
    dataFolder,
    samples,
    sampleCounty: sampleMode === '1',
    identityKey: identityKeyOf(env, dataFolder, production),
    issuers: readIssuers(env, production),
    contactKeys: contactKeysOf(env, dataFolder, production),
    credentialKeys: credentialKeysOf(env, dataFolder, production),
    issuerKey: issuerKeyOf(env, production),
    timestamp: timestampOf(env),
    logKey: logKeyOf(env, dataFolder, production),
    retentionDays: retentionDaysOf(env),
    logLevel: choice(env, 'LOG_LEVEL', LOG_LEVELS, 'warn'),
    trustedProxies: listOf(env, 'TRUSTED_PROXIES', isNetwork, 'an address or a network such as 10.0.0.0/8'),
    corsOrigins: listOf(env, 'CORS_ORIGINS', isOrigin, 'an origin such as https://console.example'),
    // In production it would be a page of the service's own origin that asks for a token.
    graphiql: choice(env, 'GRAPHIQL', ['0', '1'], production ? '0' : '1') === '1',
    // The contract is no secret, it is published with the source; but telling it is work, and who signs in can be held to a measure.
    introspection: choice(env, 'GRAPHQL_INTROSPECTION', INTROSPECTION, production ? 'signed-in' : 'everyone'),
    lrs: readLrs(env, production),
    rates: {
      viewer: countOf(env, 'RATE_VIEWER', 12_000),
      // A school's whole staff may come from one address.
      address: countOf(env, 'RATE_ADDRESS', 1_200),
      signIn: countOf(env, 'RATE_SIGN_IN', 120),
      verification: countOf(env, 'RATE_VERIFICATION', 60),
      list: countOf(env, 'RATE_LIST', 1_000),
      export: countOf(env, 'RATE_EXPORT', 30),
      upload: countOf(env, 'RATE_UPLOAD', 60),
    },
    connections: {
      total: countOf(env, 'MAX_CONNECTIONS', 5_000, 1),
      perAddress: countOf(env, 'MAX_CONNECTIONS_PER_ADDRESS', 1_000, 1),
      slowestUpload: countOf(env, 'MIN_UPLOAD_RATE', 2_048),
    },
    contentBucket: readBucket(env, production),
    packageMegabytes: countOf(env, 'H5P_MAX_PACKAGE_MB', 256, 1),
    outbound: {
      allow: listOf(
        env,
        'OUTBOUND_ALLOW',
        isHostOrNetwork,
        'a host such as lms.school.example, or a network',
      ),
      ports: listOf(env, 'OUTBOUND_PORTS', isPort, 'a port', ['443', '8443']).map(Number),
      allowHttp: choice(env, 'OUTBOUND_HTTP', ['0', '1'], '0') === '1',
    },
  };
}

/** Signed with a private key: whoever can check a token can't make one. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const issuerShape = z.strictObject({
  key: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'use 1 to 40 of a-z, 0-9 and -'),
  issuer: z.string().max(500),
  name: z.strictObject({ 'zh-CN': z.string().min(1).max(100), en: z.string().min(1).max(100) }),
  clientId: z.string().min(1).max(200).optional(),
  clientSecret: z.string().min(1).max(1_000).optional(),
  audiences: z.array(z.string().min(1).max(500)).min(1).optional(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a scope has no blank, quote or backslash'))
    .default([]),
  staffNumberClaim: z.string().min(1).max(200).default('staff_number'),
  divisionCode: z
    .string()
    .regex(/^[1-9]\d{5}$/, 'use an administrative division code of six digits')
    .optional(),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']),
  clockSkewSeconds: z.int().min(0).max(300).default(60),
});

/** OIDC_ISSUERS: a JSON array, or the path of a file that holds one. @throws ConfigError naming the place, and never a value: there are secrets. */
function readIssuers(env: Readonly<Record<string, string | undefined>>, production: boolean): IssuerConfig[] {
  const text = textOf(env, 'OIDC_ISSUERS');
  if (text === undefined) return [];
  const inline = text.startsWith('[');
  const place = inline ? 'OIDC_ISSUERS' : `OIDC_ISSUERS (${text})`;
  let json: unknown;
  try {
    json = JSON.parse(inline ? text : readFileSync(text, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      code === undefined
        ? `${place} is not JSON: give an array of issuers, or the path of a file that holds one.`
        : `${place} can't be read: ${code}.`,
    );
  }
  const read = z.array(issuerShape).safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new ConfigError(`${place}, at ${issue!.path.join('.') || 'the top'}: ${issue!.message}.`);
  }
  const issuers = read.data.map((given, index): IssuerConfig => {
    const wrong = (field: string, why: string): ConfigError =>
      new ConfigError(`${place}, at ${index}.${field}: ${why}`);
    const url = URL.canParse(given.issuer) ? new URL(given.issuer) : undefined;
    const local = url !== undefined && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
    if (
      url === undefined ||
      !(url.protocol === 'https:' || (url.protocol === 'http:' && local && !production)) ||
      `${url.username}${url.password}${url.search}${url.hash}` !== ''
    )
      throw wrong('issuer', 'it must be an https address without query and fragment.');
    if (given.key === 'callback') throw wrong('key', 'this one is taken by the service itself.');
    if (given.clientSecret !== undefined && given.clientId === undefined)
      throw wrong('clientSecret', 'it needs a clientId.');
    const audiences = given.audiences ?? (given.clientId === undefined ? [] : [given.clientId]);
    if (audiences.length === 0) throw wrong('audiences', 'give the audiences of its tokens, or a clientId.');
    return {
      ...given,
      clientId: given.clientId,
      clientSecret: given.clientSecret,
      divisionCode: given.divisionCode,
      audiences,
    };
  });
  for (const field of ['key', 'issuer'] as const) {
    const values = issuers.map((issuer) => issuer[field]);
    const twice = values.findIndex((value, index) => values.indexOf(value) !== index);
    if (twice !== -1) throw new ConfigError(`${place}, at ${twice}.${field}: another has the same.`);
  }
  return issuers;
}

/** The files are read when the service starts: see certification/signature. */
function issuerKeyOf(
  env: Readonly<Record<string, string | undefined>>,
  production: boolean,
): IssuerKeyConfig {
  const file = textOf(env, 'ISSUER_KEY_FILE');
  const command = textOf(env, 'ISSUER_SIGN_COMMAND');
  const passwordFile = textOf(env, 'ISSUER_KEY_PASSWORD_FILE');
  const chainFile = textOf(env, 'ISSUER_CHAIN_FILE');
  if (file !== undefined && command !== undefined)
    throw new ConfigError('Give ISSUER_KEY_FILE or ISSUER_SIGN_COMMAND, not both.');
  if (passwordFile !== undefined && file === undefined)
    throw new ConfigError('ISSUER_KEY_PASSWORD_FILE is of no use without ISSUER_KEY_FILE.');
  if (file !== undefined) return { kind: 'file', file, passwordFile, chainFile };
  if (command !== undefined) {
    if (chainFile === undefined)
      throw new ConfigError(
        'ISSUER_SIGN_COMMAND needs ISSUER_CHAIN_FILE: the certificate of the key and those above it, in PEM.',
      );
    return { kind: 'command', command: wordsOf(command), chainFile };
  }
  if (chainFile !== undefined)
    throw new ConfigError('ISSUER_CHAIN_FILE is of no use without ISSUER_KEY_FILE or ISSUER_SIGN_COMMAND.');
  if (production)
    throw new ConfigError(
      'ISSUER_KEY_FILE is required with NODE_ENV=production: the key that signs certificates with its certificate and chain, PEM or PKCS#12; or ISSUER_SIGN_COMMAND.',
    );
  return { kind: 'development' };
}

/** A program and its arguments: a JSON array, or words parted by blanks. No shell reads it. */
function wordsOf(text: string): readonly string[] {
  if (!text.startsWith('[')) return text.split(/\s+/);
  const read = z.array(z.string()).min(1).safeParse(jsonOf(text));
  if (!read.success)
    throw new ConfigError('ISSUER_SIGN_COMMAND is no JSON array of a program and its arguments.');
  return read.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function timestampOf(env: Readonly<Record<string, string | undefined>>): Config['timestamp'] {
  const url = textOf(env, 'TIMESTAMP_URL');
  const required = choice(env, 'TIMESTAMP_REQUIRED', ['0', '1'], '1') === '1';
  if (url === undefined) return undefined;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol) || new URL(url).username !== '')
    throw new ConfigError(`TIMESTAMP_URL=${url} is not the address of a timestamp authority (RFC 3161).`);
  return { url, required };
}

/** @throws ConfigError, without what is secret. */
function readLrs(
  env: Readonly<Record<string, string | undefined>>,
  production: boolean,
): LrsConfig | undefined {
  const text = textOf(env, 'LRS_URL');
  if (text === undefined) {
    const lost = ['LRS_KEY', 'LRS_SECRET', 'LRS_SECRET_FILE'].find((name) => textOf(env, name) !== undefined);
    if (lost !== undefined) throw new ConfigError(`${lost} is of no use without LRS_URL.`);
    return undefined;
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const local = url !== undefined && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (
    url === undefined ||
    !(url.protocol === 'https:' || (url.protocol === 'http:' && (local || !production))) ||
    `${url.username}${url.password}${url.search}${url.hash}` !== ''
  )
    throw new ConfigError(
      'LRS_URL is the https address of an xAPI endpoint, without a key, query or fragment, e.g. https://lrs.example/xapi.',
    );
  const file = textOf(env, 'LRS_SECRET_FILE');
  let secret = textOf(env, 'LRS_SECRET');
  if (file !== undefined) {
    if (secret !== undefined) throw new ConfigError('Give LRS_SECRET or LRS_SECRET_FILE, not both.');
    try {
      secret = readFileSync(file, 'utf8').trim();
    } catch (error) {
      throw new ConfigError(
        `LRS_SECRET_FILE (${file}) can't be read: ${(error as NodeJS.ErrnoException).code}.`,
      );
    }
  }
  const key = textOf(env, 'LRS_KEY');
  if (key === undefined || secret === undefined || secret === '')
    throw new ConfigError('LRS_URL needs LRS_KEY, and LRS_SECRET or LRS_SECRET_FILE.');
  // RFC 7617, section 2: what stands before the colon has none.
  if (key.includes(':'))
    throw new ConfigError('LRS_KEY holds a colon, which Basic authentication can not tell.');
  return { url: url.href.replace(/\/+$/, ''), key, secret };
}

/** CONTENT_STORE_URL: the bucket's address, e.g. `https://s3.example/bucket/prefix`. @throws ConfigError */
function readBucket(
  env: Readonly<Record<string, string | undefined>>,
  production: boolean,
): BucketConfig | undefined {
  const text = textOf(env, 'CONTENT_STORE_URL');
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const local = url !== undefined && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  const [bucket = '', ...prefix] = url?.pathname.split('/').filter((word) => word !== '') ?? [];
  if (
    url === undefined ||
    !(url.protocol === 'https:' || (url.protocol === 'http:' && (local || !production))) ||
    `${url.username}${url.password}${url.search}${url.hash}` !== '' ||
    !/^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/.test(bucket) ||
    prefix.some((word) => !/^[\w.-]+$/.test(word) || /^\.+$/.test(word))
  )
    throw new ConfigError(
      'CONTENT_STORE_URL must be the https address of a bucket, e.g. https://s3.example/bucket or https://s3.example/bucket/prefix; the keys stand in CONTENT_STORE_KEY_ID and CONTENT_STORE_SECRET.',
    );
  const key = (name: string): string => {
    const value = textOf(env, name);
    if (value === undefined) throw new ConfigError(`${name} is required with CONTENT_STORE_URL.`);
    return value;
  };
  return {
    endpoint: url.origin,
    bucket,
    prefix: prefix.join('/'),
    region: textOf(env, 'CONTENT_STORE_REGION') ?? 'us-east-1',
    accessKeyId: key('CONTENT_STORE_KEY_ID'),
    secretAccessKey: key('CONTENT_STORE_SECRET'),
  };
}

/** The service's own folder, made where it is missing by whoever writes there first. */
export function readDataFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return resolve(textOf(env, 'XINQIAO_DATA') ?? join(projectFolder, '.xinqiao'));
}

/** All that a command needs which only works on a database. */
export function readDatabaseUrl(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  return readUrl(env, 'DATABASE_URL');
}

function readUrl(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const url = textOf(env, name);
  if (url === undefined) return undefined;
  if (!/^postgres(ql)?:\/\//.test(url))
    throw new ConfigError(`${name} must begin with postgres:// or postgresql://.`);
  return url;
}

/**
 * Where a command finds the running service, no trailing slash: PUBLIC_URL, else HOST and PORT of this machine.
 * @throws ConfigError
 */
export function readServerUrl(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const host = textOf(env, 'HOST') ?? '127.0.0.1';
  return urlOf(env, 'PUBLIC_URL', `http://${hostInUrl(host)}:${portOf(env, 'PORT', 8080)}`, false);
}

/** Who a command is to the service: a session's token, or of the sample staff. Never an argument, which other accounts could read. */
export function readToken(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const token = textOf(env, 'XINQIAO_TOKEN');
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new ConfigError('XINQIAO_TOKEN holds a character that no token has.');
  return token;
}

/** Set to nothing is the same as not set. */
function textOf(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === '' ? undefined : text;
}

function portOf(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const text = textOf(env, name);
  if (text === undefined) return otherwise;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new ConfigError(`${name}=${text} is not a port: use a whole number from 0 to 65535.`);
  return port;
}

function countOf(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  otherwise: number,
  least = 0,
): number {
  const text = textOf(env, name);
  if (text === undefined) return otherwise;
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text) || count < least)
    throw new ConfigError(`${name}=${text} is not a whole number from ${least} on.`);
  return count;
}

/** Separated by commas. */
function listOf(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  fits: (entry: string) => boolean,
  what: string,
  otherwise: readonly string[] = [],
): readonly string[] {
  const text = textOf(env, name);
  if (text === undefined) return otherwise;
  const entries = text.split(',').map((entry) => entry.trim());
  const wrong = entries.find((entry) => !fits(entry));
  if (wrong !== undefined) throw new ConfigError(`${name} holds “${wrong}”, which is not ${what}.`);
  return entries;
}

function isNetwork(text: string): boolean {
  return text.includes('/') ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}

function isHostOrNetwork(text: string): boolean {
  return isNetwork(text) || /^\.?(?!\d+$)[a-z0-9-]+(\.[a-z0-9-]*[a-z][a-z0-9-]*)*$/i.test(text);
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

function choice<T extends string>(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  choices: readonly T[],
  otherwise: T,
): T {
  const text = textOf(env, name);
  if (text === undefined) return otherwise;
  const chosen = choices.find((each) => each === text);
  if (chosen === undefined) throw new ConfigError(`${name}=${text} is unknown: use ${choices.join(' or ')}.`);
  return chosen;
}

function urlOf(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  otherwise: string,
  required: boolean,
): string {
  const text = textOf(env, name);
  if (text === undefined) {
    if (required)
      throw new ConfigError(
        `${name} is required with NODE_ENV=production: the address browsers use, e.g. https://xinqiao.example.`,
      );
    return otherwise;
  }
  if (!URL.canParse(text) || new URL(text).pathname !== '/' || !/^https?:$/.test(new URL(text).protocol)) {
    throw new ConfigError(
      `${name}=${text} is not an origin: use e.g. https://xinqiao.example, with no path.`,
    );
  }
  return new URL(text).origin;
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The key of a service that has been started, for a command that only reads; undefined where it is not at hand. @throws ConfigError */
export function findIdentityKey(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Buffer | undefined {
  const dataFolder = readDataFolder(env);
  if (textOf(env, 'IDENTITY_KEY') === undefined && !existsSync(join(dataFolder, IDENTITY_KEY_FILE)))
    return undefined;
  return identityKeyOf(env, dataFolder, false);
}

/** From the environment in production; otherwise made once and kept beside the data it belongs to. */
function identityKeyOf(
  env: Readonly<Record<string, string | undefined>>,
  dataFolder: string,
  production: boolean,
): Buffer {
  const text = textOf(env, 'IDENTITY_KEY');
  if (text !== undefined) {
    const key = Buffer.from(text, 'base64');
    if (key.length !== 32)
      throw new ConfigError(
        'IDENTITY_KEY must be 32 bytes in base64: make one with `openssl rand -base64 32`.',
      );
    return key;
  }
  if (production)
    throw new ConfigError(
      'IDENTITY_KEY is required with NODE_ENV=production: 32 bytes in base64, e.g. from `openssl rand -base64 32`.',
    );
  const file = join(dataFolder, 'identity.key');
  const key = Buffer.from(
    madeOnce(file, dataFolder, () => randomBytes(32).toString('base64')),
    'base64',
  );
  if (key.length !== 32)
    throw new ConfigError(
      `${file} holds no key of 32 bytes in base64. Bring it back from a backup; without it known identity numbers are not matched.`,
    );
  return key;
}

/** The text of a file that is made where it is missing. */
function madeOnce(file: string, dataFolder: string, make: () => string): string {
  try {
    mkdirSync(dataFolder, { recursive: true });
    writeFileSync(file, make(), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST')
      throw new ConfigError(
        `The data folder ${dataFolder} can't be written: ${message}. Set XINQIAO_DATA to a folder that can.`,
      );
  }
  return readFileSync(file, 'utf8');
}

/** `id:base64`, one after another, the current one first: as the identity key, from the environment in production. */
function contactKeysOf(
  env: Readonly<Record<string, string | undefined>>,
  dataFolder: string,
  production: boolean,
): Config['contactKeys'] {
  const given = textOf(env, 'CONTACT_KEYS');
  if (given === undefined && production)
    throw new ConfigError(
      'CONTACT_KEYS is required with NODE_ENV=production: id:key, the key of 32 bytes in base64, e.g. 2026:$(openssl rand -base64 32).',
    );
  const file = join(dataFolder, 'contact.keys');
  const where = given === undefined ? file : 'CONTACT_KEYS';
  const text = given ?? madeOnce(file, dataFolder, () => `1:${randomBytes(32).toString('base64')}\n`);
  const keys = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const [id = '', base64 = ''] = part.split(':');
      const key = Buffer.from(base64, 'base64');
      // The text itself is not told: it may be a key.
      if (!/^[A-Za-z0-9-]{1,8}$/.test(id) || key.length !== 32)
        throw new ConfigError(
          `${where} holds something that is not id:key with an id of 1 to 8 letters and digits and a key of 32 bytes in base64.`,
        );
      return { id, key };
    });
  const twice = keys.find(({ id }, index) => keys.findIndex((other) => other.id === id) !== index);
  if (twice !== undefined) throw new ConfigError(`${where} has two keys with the id ${twice.id}.`);
  if (keys.length === 0) throw new ConfigError(`${where} holds no key.`);
  return keys;
}

const jwkShape = z.union([
  z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    kid: z.string().regex(/^[A-Za-z0-9-]{1,16}$/),
    x: z.string(),
    y: z.string(),
    d: z.string().optional(),
  }),
  z.object({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    kid: z.string().regex(/^[A-Za-z0-9-]{1,16}$/),
    x: z.string(),
    d: z.string().optional(),
  }),
]);

/** A new pair of keys as a JSON Web Key Set (RFC 7517), in front of those of `before`. @param name what their ids end in. */
export function newCredentialKeys(name: string, before: readonly unknown[] = []): string {
  const made = (
    [
      ['p', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
      ['e', generateKeyPairSync('ed25519')],
    ] as const
  ).map(([prefix, { privateKey }]) => ({
    kid: `${prefix}${name}`,
    ...privateKey.export({ format: 'jwk' }),
  }));
  return `${JSON.stringify({ keys: [...made, ...before] }, undefined, 2)}\n`;
}

/** A JSON Web Key Set, from the file that CREDENTIAL_KEYS names; otherwise made once, as the identity key. */
function credentialKeysOf(
  env: Readonly<Record<string, string | undefined>>,
  dataFolder: string,
  production: boolean,
): CredentialKey[] {
  const given = textOf(env, 'CREDENTIAL_KEYS');
  if (given === undefined && production)
    throw new ConfigError(
      'CREDENTIAL_KEYS is required with NODE_ENV=production: the path of a file of keys, made with `npm run credential:keys -- FILE`.',
    );
  const file = given ?? join(dataFolder, 'credential-keys.json');
  let text: string;
  try {
    text =
      given === undefined
        ? madeOnce(file, dataFolder, () => newCredentialKeys('1'))
        : readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(
      `CREDENTIAL_KEYS (${file}) can't be read: ${(error as NodeJS.ErrnoException).code}.`,
    );
  }
  return parseCredentialKeys(text, given === undefined ? file : `CREDENTIAL_KEYS (${file})`);
}

/** A PEM file that LOG_KEY names; otherwise made once, as the identity key. */
function logKeyOf(
  env: Readonly<Record<string, string | undefined>>,
  dataFolder: string,
  production: boolean,
): KeyObject {
  const given = textOf(env, 'LOG_KEY');
  if (given === undefined && production)
    throw new ConfigError(
      'LOG_KEY is required with NODE_ENV=production: the path of a key, made with `openssl genpkey -algorithm ed25519 -out log.key`.',
    );
  const file = given ?? join(dataFolder, 'log.key');
  const make = (): string =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  let text: string;
  try {
    text = given === undefined ? madeOnce(file, dataFolder, make) : readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`LOG_KEY (${file}) can't be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(text);
  } catch {
    // What it says may be a part of the key.
  }
  if (key?.asymmetricKeyType !== 'ed25519')
    throw new ConfigError(
      `${given === undefined ? file : `LOG_KEY (${file})`} is no private Ed25519 key in PEM.`,
    );
  return key;
}

/** @throws ConfigError that names the place, and never a value: there are secrets. */
export function parseCredentialKeys(text: string, where: string): CredentialKey[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ConfigError(`${where} is not JSON: it should be a JSON Web Key Set.`);
  }
  const read = z.object({ keys: z.array(jwkShape) }).safeParse(json);
  if (!read.success)
    throw new ConfigError(
      `${where}, at ${read.error.issues[0]!.path.join('.') || 'the top'}: it should be a JSON Web Key Set of P-256 and Ed25519 keys, each with a kid of 1 to 16 letters, digits and dashes.`,
    );
  const keys = read.data.keys.map((jwk, index): CredentialKey => {
    const { kty, crv, kid, x } = jwk;
    const publicJwk = { kty, crv, x, ...(jwk.kty === 'EC' ? { y: jwk.y } : {}) };
    try {
      const privateKey =
        jwk.d === undefined
          ? undefined
          : createPrivateKey({ key: { ...publicJwk, d: jwk.d }, format: 'jwk' });
      const stated = createPublicKey({ key: publicJwk, format: 'jwk' });
      const digest = jwk.kty === 'EC' ? 'sha256' : null;
      const trial = Buffer.from(kid);
      // Whoever checks would be given another key than the one that signs.
      if (privateKey !== undefined && !verify(digest, trial, stated, sign(digest, trial, privateKey)))
        throw new Error('of another pair');
      return { kid, algorithm: jwk.kty === 'EC' ? 'ES256' : 'Ed25519', privateKey, publicJwk };
    } catch {
      throw new ConfigError(
        `${where}, at keys.${index}: ${kid} is no such key, or its parts don't belong together.`,
      );
    }
  });
  const twice = keys.find(({ kid }, index) => keys.findIndex((other) => other.kid === kid) !== index);
  if (twice !== undefined) throw new ConfigError(`${where} has two keys with the kid ${twice.kid}.`);
  for (const algorithm of ['ES256', 'Ed25519'] as const)
    if (!keys.some((key) => key.algorithm === algorithm && key.privateKey !== undefined))
      throw new ConfigError(
        `${where} has no private key of ${algorithm === 'ES256' ? 'P-256' : algorithm} that could sign.`,
      );
  return keys;
}

/** `rule=days`, one after another; what is not named is kept as long as usual. */
function retentionDaysOf(env: Readonly<Record<string, string | undefined>>): Config['retentionDays'] {
  const days: Record<RetentionRule, number> = { ...usualRetentionDays };
  for (const part of (textOf(env, 'RETENTION_DAYS') ?? '').split(/[\s,]+/)) {
    if (part === '') continue;
    const [, name = '', count = ''] = /^([a-z-]+)=(\d{1,5})$/.exec(part) ?? [];
    if (!(name in usualRetentionDays) || Number(count) < 1)
      throw new ConfigError(
        `RETENTION_DAYS holds ${part}: use name=days, of ${Object.keys(usualRetentionDays).join(', ')}.`,
      );
    days[name as RetentionRule] = Number(count);
  }
  return days;
}
