import { X509Certificate } from 'node:crypto';
import type { IssuerKeyConfig } from '../../config.ts';
import { sha256 } from './cms.ts';
import { commandSigner } from './command-signer.ts';
import { developmentKey } from './development.ts';
import { certificatesIn, fileSigner, read } from './key-file.ts';
import { checkChain, NotSigned, SignerError, type Signer } from './signer.ts';
import type { Timestamper } from './timestamp.ts';

/** What certificates are signed with. */
export interface IssuerKey {
  readonly signer: Signer;
  readonly timestamper: Timestamper | undefined;
}

/** Opens what is configured. @throws SignerError that names what is wrong. */
export async function openSigner(
  config: IssuerKeyConfig,
  { dataFolder, production, at }: { dataFolder: string; production: boolean; at: Date },
): Promise<Signer> {
  const signer = await opened(config, dataFolder);
  try {
    checkChain(signer.chain, at, { production });
  } catch (error) {
    await signer.close();
    throw error;
  }
  return signer;
}

async function opened(config: IssuerKeyConfig, dataFolder: string): Promise<Signer> {
  switch (config.kind) {
    case 'development':
      return fileSigner({
        file: await developmentKey(dataFolder),
        passwordFile: undefined,
        chainFile: undefined,
      });
    case 'file':
      return fileSigner(config);
    case 'command':
      return commandSigner(
        config.command,
        certificatesIn(read(config.chainFile).toString(), config.chainFile),
      );
  }
}

/** @throws NotSigned when a certificate of the chain is not in force: nobody would accept what is signed. */
export function checkInForce(signer: Signer, at: Date): void {
  try {
    checkChain(signer.chain, at, { production: false });
  } catch (error) {
    throw error instanceof SignerError ? new NotSigned(error.message) : error;
  }
}

/** What is told about a chain beside its bytes. */
export function described(chain: readonly Buffer[]): {
  digest: string;
  subject: string;
  validFrom: Date;
  validUntil: Date;
  chain: readonly Buffer[];
} {
  const own = new X509Certificate(chain[0]!);
  return {
    // Of the chain: the same certificate with another authority above it is told apart.
    digest: sha256(...chain).toString('hex'),
    subject: own.subject.replaceAll('\n', ', '),
    validFrom: own.validFromDate,
    validUntil: own.validToDate,
    chain,
  };
}
