import { fromBER } from 'asn1js';
import { ContentInfo, SignedData, TimeStampResp, TSTInfo } from 'pkijs';
import type { Outbound } from '../../network/outbound.ts';
import { sha256 } from './cms.ts';
import { integer, octets, oid, sequence, tlv } from './der.ts';
import { NotSigned } from './signer.ts';

/** Has the time of signatures confirmed by an authority (RFC 3161). */
export interface Timestamper {
  /** How many bytes a token may take. */
  readonly room: number;
  /** Whether a document without its token may not go out. */
  readonly required: boolean;
  /** @returns the TimeStampToken. @throws NotSigned, with what is wrong. */
  stamp(signature: Buffer): Promise<Buffer>;
}

/** Tokens with the authority's chain take 2 to 6 kB. */
const ROOM = 7_000;

export function makeTimestamper({
  url,
  required,
  outbound,
  random,
}: {
  url: string;
  required: boolean;
  outbound: Pick<Outbound, 'fetch'>;
  random: (bytes: number) => Uint8Array;
}): Timestamper {
  return {
    room: ROOM,
    required,
    async stamp(signature) {
      const imprint = sha256(signature);
      const nonce = Buffer.from(random(8));
      nonce[0] = (nonce[0]! & 0x3f) | 0x40;
      // 2.4.1: with the certificates, so that who checks it years later has them.
      const request = sequence(
        integer(1),
        sequence(sequence(oid('2.16.840.1.101.3.4.2.1')), octets(imprint)),
        tlv(0x02, nonce),
        tlv(0x01, Buffer.from([0xff])),
      );
      let body: Buffer;
      try {
        const answer = await outbound.fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/timestamp-query' },
          body: request,
          maxBytes: 64 * 1024,
          types: ['application/timestamp-reply'],
        });
        if (answer.status !== 200) throw new Error(`it answered ${answer.status}`);
        ({ body } = answer);
      } catch (error) {
        throw new NotSigned(`The timestamp authority can not be asked: ${(error as Error).message}.`);
      }
      try {
        return await tokenIn(body, signature, nonce);
      } catch (error) {
        throw new NotSigned(`The timestamp authority gave no timestamp: ${(error as Error).message}.`);
      }
    },
  };
}

/** Checks an answer (2.4.2). Who its authority is, is for those to judge who check the document. @throws Error */
async function tokenIn(body: Buffer, signature: Buffer, nonce: Buffer): Promise<Buffer> {
  const parsed = fromBER(Uint8Array.from(body).buffer);
  if (parsed.offset === -1) throw new Error('its answer is no DER');
  const answer = new TimeStampResp({ schema: parsed.result });
  const granted: readonly number[] = [0, 1];
  if (!granted.includes(answer.status.status) || answer.timeStampToken === undefined)
    throw new Error(`it refused with status ${answer.status.status}`);
  const signed = new SignedData({ schema: answer.timeStampToken.content });
  const content = signed.encapContentInfo.eContent;
  if (content === undefined) throw new Error('its token is empty');
  const info = TSTInfo.fromBER(content.getValue());
  if (!Buffer.from(info.messageImprint.hashedMessage.valueBlock.valueHexView).equals(sha256(signature)))
    throw new Error('its token is of something else');
  if (info.nonce === undefined || !Buffer.from(info.nonce.valueBlock.valueHexView).equals(nonce))
    throw new Error('its token answers another question');
  const valid = await signed
    .verify({ signer: 0, data: Uint8Array.from(signature).buffer })
    .catch(() => false);
  if (!valid) throw new Error('its token is not signed by the certificate in it');
  const token = Buffer.from(new ContentInfo(answer.timeStampToken).toSchema().toBER());
  if (token.length > ROOM)
    throw new Error(`its token takes ${token.length} bytes; there is room for ${ROOM}`);
  return token;
}
