import { createHash } from 'node:crypto';
import type { CredentialKey } from '../../config.ts';
import type { CourseVersion } from '../../courses/course.ts';
import type { CertificateClaims } from '../document.ts';
import { CREDENTIALS_CONTEXT, OPEN_BADGES_CONTEXT, OPEN_BADGES_EXTENSIONS } from './contexts.ts';
import { didOf, keyUrlOf } from './did.ts';
import { signCompact } from './jws.ts';
import { statusListUrl, type StatusEntry } from './status-list.ts';

const SCHEMA =
  'https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json';

/** What a credential is made of: what the certificate says, and where its state is told. */
export interface CredentialFacts {
  readonly claims: CertificateClaims;
  readonly verificationCode: string;
  readonly certificationId: string;
  /** undefined: it was not earned by a course of ours. */
  readonly course: CourseVersion | undefined;
  readonly status: StatusEntry;
}

export type AchievementCredential = ReturnType<typeof credentialOf>;

/**
 * A certificate as an Open Badges 3.0 AchievementCredential (Verifiable Credentials Data Model 2.0), unsigned. It says no more of its holder
 * than the paper: the name as a salted hash, so that who was shown the paper can compare, and who finds the file learns nothing.
 */
export function credentialOf(
  { claims, verificationCode, certificationId, course, status }: CredentialFacts,
  publicUrl: string,
) {
  const did = didOf(publicUrl);
  const list = statusListUrl(publicUrl, status.list, 'revocation');
  const achievement = tagOf(publicUrl, `certification/${certificationId}`);
  // Of the code, which only the paper has: the same each time, and of no use to guess other certificates' by.
  const salt = createHash('sha256').update(`salt ${verificationCode}`).digest('base64url').slice(0, 22);
  const results = resultsOf(claims, achievement);
  return {
    '@context': [CREDENTIALS_CONTEXT, OPEN_BADGES_CONTEXT, OPEN_BADGES_EXTENSIONS],
    id: credentialUrl(publicUrl, claims.number),
    type: ['VerifiableCredential', 'AchievementCredential'],
    name: claims.certificationTitle['zh-CN'],
    description: claims.certificationTitle.en,
    issuer: { id: did, type: ['Profile'], name: claims.issuerName, url: publicUrl },
    validFrom: startOf(claims.validFrom),
    ...(claims.validUntil === null ? {} : { validUntil: endOf(claims.validUntil) }),
    awardedDate: startOf(claims.issuedOn),
    credentialSubject: {
      type: ['AchievementSubject'],
      identifier: [
        {
          type: 'IdentityObject',
          hashed: true,
          identityType: 'name',
          identityHash: `sha256$${createHash('sha256')
            .update(claims.holderName + salt)
            .digest('hex')}`,
          salt,
        },
      ],
      licenseNumber: claims.number,
      creditsEarned: claims.classHours,
      ...(claims.roleTitle === null ? {} : { role: claims.roleTitle['zh-CN'] }),
      achievement: {
        id: achievement,
        type: ['Achievement'],
        achievementType: 'Certificate',
        inLanguage: 'zh-CN',
        name: claims.certificationTitle['zh-CN'],
        description: claims.courseTitle?.['zh-CN'] ?? claims.certificationTitle['zh-CN'],
        creditsAvailable: claims.classHours,
        criteria: { narrative: claims.evidence['zh-CN'] },
        ...(course === undefined ? {} : { alignment: alignmentOf(course, publicUrl) }),
        resultDescription: results.map((each) => each.description),
      },
      result: results.map((each) => each.result),
    },
    evidence: [
      {
        type: ['Evidence'],
        name: '核验依据',
        narrative: claims.evidence['zh-CN'],
        description: claims.evidence.en,
        genre: claims.percent === null ? 'Recognition' : 'Assessment',
      },
    ],
    credentialSchema: [{ id: SCHEMA, type: '1EdTechJsonSchemaValidator2019' }],
    credentialStatus: {
      id: `${list}#${status.position}`,
      type: 'BitstringStatusListEntry',
      statusPurpose: 'revocation',
      statusListIndex: String(status.position),
      statusListCredential: list,
    },
  };
}

export function credentialUrl(publicUrl: string, number: string): string {
  return `${publicUrl}/credentials/${number}.json`;
}

/**
 * The same as a compact JWT (vc+jwt, Securing Verifiable Credentials using JOSE and COSE), for where every byte counts: the PDF carries it.
 * `credential` is its payload; nothing is added to it.
 */
export function credentialJwt(credential: AchievementCredential, key: CredentialKey): string {
  return signCompact(credential, key, {
    typ: 'vc+jwt',
    cty: 'vc',
    kid: keyUrlOf(credential.issuer.id, key),
  });
}

/** The competencies that the course trains and examines. */
function alignmentOf({ slug, version, manifest }: CourseVersion, publicUrl: string) {
  return manifest.competencies.map(({ key, title }) => ({
    type: ['Alignment'],
    targetCode: key,
    targetName: title['zh-CN'],
    targetDescription: title.en,
    targetFramework: `${manifest.title['zh-CN']} ${version}`,
    targetType: 'ext:Competency',
    targetUrl: tagOf(publicUrl, `course/${slug}/competency/${key}`),
  }));
}

function resultsOf(claims: CertificateClaims, achievement: string) {
  const one = (
    key: string,
    name: string,
    resultType: string,
    value: string | undefined,
    more: Readonly<Record<string, unknown>> = {},
  ) =>
    value === undefined
      ? []
      : [
          {
            description: {
              id: `${achievement}/result/${key}`,
              type: ['ResultDescription'],
              name,
              resultType,
              ...more,
            },
            result: { type: ['Result'], resultDescription: `${achievement}/result/${key}`, value },
          },
        ];
  return [
    ...one('class-hours', '学时', 'ext:ClassHours', String(claims.classHours)),
    ...one('evidence-grade', '证据等级', 'ext:EvidenceGrade', claims.evidenceGrade, {
      allowedValue: ['A', 'B', 'C'],
    }),
    ...one('exam', '考试成绩', 'Percent', claims.percent === null ? undefined : String(claims.percent), {
      valueMin: '0',
      valueMax: '100',
    }),
  ];
}

/** A name that lasts and promises no page (RFC 4151). */
function tagOf(publicUrl: string, what: string): string {
  return `tag:${new URL(publicUrl).hostname},2026:${what}`;
}

/** Days are China's: the first instant of one, and the last. */
function startOf(day: string): string {
  return `${day}T00:00:00+08:00`;
}
function endOf(day: string): string {
  return `${day}T23:59:59+08:00`;
}
