import type { Text } from '../courses/notation.ts';
import type { Place, Unit } from '../regions/division.ts';
import type { CertificatePath } from './certificate.ts';
import { chineseDay, englishDay, type RecordedFrom } from './document.ts';

export type IssueRequestState = 'waiting' | 'approved' | 'declined';

/** Certificates that an issuer wants issued without an exam of ours; another decides, about all of it. */
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
}

export function recordedFrom(row: IssueRequestRow): RecordedFrom | null {
  return row.oldNumber === null || row.issuingBody === null
    ? null
    : { number: row.oldNumber, issuingBody: row.issuingBody, issuedOn: row.completedOn };
}

/** What the certificate says that it rests on: what people recognized, and no exam. */
export function evidenceOf(row: IssueRequestRow, issuerName: string): Text {
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
