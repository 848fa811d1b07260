import type { Text } from '../courses/notation.ts';
import type { Place, Unit } from '../regions/division.ts';
import { said, type Said } from '../people/roster/said.ts';
import type { CertificatePath } from './certificate.ts';
import { chineseDay, englishDay, type RecordedFrom } from './document.ts';

/** `issuing`: approved, and not all of its rows have been issued or refused; `approved`: they have. */
export type IssueRequestState = 'waiting' | 'declined' | 'issuing' | 'approved' | 'cancelled';

/** Certificates that an issuer wants issued without an exam of ours; another decides, about all of it. Each row is then issued or refused by itself. */
export interface IssueRequest {
  readonly id: string;
  readonly path: Exclude<CertificatePath, 'earned'>;
  /** Of a file its division; by hand the organization where the person worked when it was asked for. */
  readonly unit: Unit;
  readonly place: Place;
  readonly reason: string;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly state: IssueRequestState;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  /** Of who decided. */
  readonly remark: string | null;
  readonly rowsTotal: number;
  readonly rowsIssued: number;
  readonly rowsRefused: number;
  /** When an approved one was over. */
  readonly finishedAt: Date | null;
  /** What its rate is measured from; null until it is approved. */
  readonly run: { readonly beganAt: Date; readonly beganWith: number; readonly toldAt: Date } | null;
}

/** Why nothing was issued for a row of an approved request. */
export const rowRefusalCodes = [
  'ALREADY_ISSUED',
  'PERSON_MOVED',
  'EXPIRED_MEANWHILE',
  'UNPRINTABLE',
  'FAILED',
  'CANCELLED',
] as const;
export interface RowRefusal {
  readonly code: (typeof rowRefusalCodes)[number];
  /** What can't be printed; null for all others. */
  readonly detail: string | null;
}

export interface IssueRequestRow {
  readonly requestId: string;
  /** In the file; 1 by hand. */
  readonly line: number;
  readonly personId: string;
  readonly certificationId: string;
  /** Of an old certificate the day of its issue. */
  readonly completedOn: string;
  readonly validUntil: string | null;
  readonly classHours: number;
  /** What it rests on, for who decides; never printed. */
  readonly evidence: string;
  readonly oldNumber: string | null;
  readonly issuingBody: string | null;
  /** Of what was issued for it. */
  readonly certificateNumber: string | null;
  /** With neither, it has not had its turn. */
  readonly refusal: RowRefusal | null;
}

/** What a row asks for. */
export type AskedRow = Omit<IssueRequestRow, 'requestId' | 'certificateNumber' | 'refusal'>;

/** In words, for who asked. */
export function reasonOf({ code, detail }: RowRefusal, { validUntil }: Pick<AskedRow, 'validUntil'>): Said {
  switch (code) {
    case 'ALREADY_ISSUED':
      return said('The person has been issued a certificate of it before.', '此人已有该认证的证书。');
    case 'PERSON_MOVED':
      return said(
        'The person works there no more, or not in a role that it is for.',
        '此人已不在该处任职，或其岗位不属于该认证的对象。',
      );
    case 'EXPIRED_MEANWHILE':
      return said(`It has expired on ${validUntil}.`, `已于 ${validUntil} 过期。`);
    case 'UNPRINTABLE':
      return said(detail ?? '', `证书无法排印：${detail ?? ''}`);
    case 'FAILED':
      return said(
        'The service failed at it, and its operator was told. Ask again.',
        '签发时服务出错，已告知运维人员。请重新申请。',
      );
    case 'CANCELLED':
      return said('Somebody stopped it before its turn.', '轮到之前已被叫停。');
  }
}

export function recordedFrom(row: AskedRow): RecordedFrom | null {
  return row.oldNumber === null || row.issuingBody === null
    ? null
    : { number: row.oldNumber, issuingBody: row.issuingBody, issuedOn: row.completedOn };
}

/** What the certificate says that it rests on: what people recognized, and no exam. */
export function evidenceOf(row: AskedRow, issuerName: string): Text {
  const from = recordedFrom(row);
  return from === null
    ? {
        'zh-CN': `于${chineseDay(row.completedOn)}完成培训，由${issuerName}经两人审核认定`,
        en: `Training completed on ${englishDay(row.completedOn)}; recognized by ${issuerName} after review by two people`,
      }
    : {
        'zh-CN': `据${from.issuingBody}${chineseDay(from.issuedOn)}颁发的证书（编号 ${from.number}）登记，由${issuerName}经两人审核认定`,
        en: `Recorded from certificate No. ${from.number}, issued by ${from.issuingBody} on ${englishDay(from.issuedOn)}; recognized by ${issuerName} after review by two people`,
      };
}
