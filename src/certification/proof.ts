import { InvalidInput } from '../errors.ts';
import type { Proof } from '../programmes/certification.ts';
import { drawCertificate } from './document.ts';
import { evidenceOfEarned } from './evidence.ts';
import { MissingGlyph } from './fonts.ts';
import { TextDoesNotFit } from './layout.ts';
import { describeReview } from '../courses/review.ts';
import { RECORDED } from './issuing.service.ts';
import { findLatestVersion, isFor, readTemplate } from './template.ts';

/** Where a planner gave what a claim says. */
const givenAs: readonly (readonly [claim: string, path: string])[] = [
  ['certificationTitle.zh', 'input.title.zhCN'],
  ['certificationTitle.en', 'input.title.en'],
  ['issuerName', 'input.issuerName'],
  // What its course says stands on it too.
  ...['courseTitle.zh', 'courseTitle.en', 'courseReview.zh', 'courseReview.en'].map(
    (claim) => [claim, 'input.courseSlug'] as const,
  ),
];

/** Draws a certificate of a certification that is only planned, for nobody. */
export function makeProof({ publicUrl }: { publicUrl: string }): Proof {
  return async ({ title, issuerName, template, templateVersion, divisionCode, course }) => {
    const number = 'XQ2026-0000-0000-0000';
    const page = await readTemplate(template, templateVersion);
    if (!isFor(page, divisionCode))
      throw new InvalidInput('input.template', `The template "${template}" is for other divisions.`);
    try {
      await drawCertificate(page, {
        number,
        holderName: '某某',
        organizationName: null,
        roleTitle: null,
        certificationTitle: title,
        courseTitle: course.title,
        courseReview: describeReview(course.review),
        classHours: course.classHours,
        percent: 83.33,
        issuerName,
        issuedOn: '2026-12-30',
        validFrom: '2026-12-30',
        validUntil: '2029-12-29',
        evidence: evidenceOfEarned('A'),
        verificationUrl: `${publicUrl}/verify/${number}#code=0000-0000-0000-0000`,
      });
    } catch (error) {
      if (!(error instanceof MissingGlyph || error instanceof TextDoesNotFit)) throw error;
      const claims = error.field.split(', ');
      const path = givenAs.find(([claim]) => claims.includes(claim))?.[1];
      throw path === undefined ? error : new InvalidInput(path, error.message);
    }
  };
}

/** The version that a new certification names; undefined where there is no such template, or it is for what was not earned. */
export async function findEarnedTemplate(name: string): Promise<number | undefined> {
  return name === RECORDED.template ? undefined : findLatestVersion(name);
}
