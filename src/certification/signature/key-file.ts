import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PFX, type Certificate, type PrivateKeyInfo, type SafeContents } from 'pkijs';
import { keySigner, SignerError, type Signer } from './signer.ts';

/* A key of the issuer that lies in a file: PEM, or PKCS#12. */

/** @throws SignerError naming the file and what is wrong with it, never what is in it. */
export function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SignerError(`${file} can't be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
}

/** The certificates of a PEM file, in order. */
export function certificatesIn(pem: string, file: string): Buffer[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => {
    try {
      return Buffer.from(new X509Certificate(block).raw);
    } catch {
      throw new SignerError(`${file} holds a certificate that can't be read.`);
    }
  });
}

/**
 * @param passwordFile holds the password of the key, and a line break at most.
 * @param chainFile certificates in PEM, where the file of the key does not hold them.
 */
export async function fileSigner(given: {
  readonly file: string;
  readonly passwordFile: string | undefined;
  readonly chainFile: string | undefined;
}): Promise<Signer> {
  const { file } = given;
  const bytes = read(file);
  const password =
    given.passwordFile === undefined
      ? undefined
      : read(given.passwordFile)
          .toString()
          .replace(/\r?\n$/, '');
  const found = bytes.includes('-----BEGIN')
    ? pemKey(bytes.toString(), password, file)
    : await pkcs12Key(bytes, password ?? '', file);
  const more =
    given.chainFile === undefined ? [] : certificatesIn(read(given.chainFile).toString(), given.chainFile);
  return keySigner(found.key, inOrder([...found.certificates, ...more], found.key));
}

function pemKey(pem: string, password: string | undefined, file: string): Found {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, ...(password === undefined ? {} : { passphrase: password }) });
  } catch (error) {
    throw new SignerError(
      `${file} holds no private key that can be read with the password given: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}.`,
    );
  }
  return { key, certificates: certificatesIn(pem, file) };
}

interface Found {
  readonly key: KeyObject;
  readonly certificates: readonly Buffer[];
}

/** RFC 7292. */
async function pkcs12Key(bytes: Buffer, text: string, file: string): Promise<Found> {
  const password = Uint8Array.from(Buffer.from(text)).buffer;
  const certificates: Buffer[] = [];
  let key: KeyObject | undefined;
  try {
    const pfx = PFX.fromBER(Uint8Array.from(bytes));
    await pfx.parseInternalValues({ password, checkIntegrity: true });
    const safe = pfx.parsedValue!.authenticatedSafe!;
    await safe.parseInternalValues({ safeContents: safe.safeContents.map(() => ({ password })) });
    for (const { value } of (safe.parsedValue as { safeContents: { value: SafeContents }[] }).safeContents)
      for (const bag of value.safeBags) {
        const inside = bag.bagValue as unknown as {
          parsedValue?: PrivateKeyInfo | Certificate;
          parseInternalValues?(given: { password: ArrayBuffer }): Promise<void>;
        };
        // 4.2.1 keyBag, 4.2.2 pkcs8ShroudedKeyBag, 4.2.3 certBag.
        if (bag.bagId.endsWith('.12.10.1.2')) await inside.parseInternalValues!({ password });
        const content = bag.bagId.endsWith('.12.10.1.1')
          ? (bag.bagValue as PrivateKeyInfo)
          : inside.parsedValue;
        if (content === undefined) continue;
        const der = Buffer.from(content.toSchema().toBER());
        if (bag.bagId.endsWith('.12.10.1.3')) certificates.push(der);
        else key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
      }
  } catch (error) {
    throw new SignerError(
      `${file} can't be read as PKCS#12: ${(error as Error).message} The password may be wrong, or the file may be encrypted as OpenSSL did before version 3 (make it again with AES-256).`,
    );
  }
  if (key === undefined) throw new SignerError(`${file} holds no private key.`);
  return { key, certificates };
}

/** The key's own certificate first, each one's issuer behind it; what leads nowhere is left out. */
function inOrder(certificates: readonly Buffer[], key: KeyObject): Buffer[] {
  const parsed = certificates.map((raw) => ({ raw, x509: new X509Certificate(raw) }));
  const chain: typeof parsed = [];
  let next = parsed.find(({ x509 }) => x509.checkPrivateKey(key));
  // None is the key's own: whoever looks at the chain says so.
  if (next === undefined) return [...certificates];
  while (next !== undefined && !chain.includes(next)) {
    chain.push(next);
    const { x509 }: (typeof parsed)[number] = next;
    next = parsed.find((each) => each.x509 !== x509 && x509.checkIssued(each.x509));
  }
  return chain.map(({ raw }) => raw);
}
