import type { Text } from '../courses/notation.ts';

/** How well the hours and the exam of a certificate are backed, by a rule that is the same whoever issues. */
export type EvidenceGrade = 'A' | 'B' | 'C';

/** Of the time that the course declares. */
const SHARE_A = 0.8;
const SHARE_B = 0.5;

/**
 * A: the exam was drawn, timed and graded by the server and passed, at least 80 % of the declared time is in the time ledger, and no
 * flag was upheld. B: as A, with at least 50 %. C: all others, what was recognized by hand or recorded from an old certificate among
 * them. An upheld flag lowers it by one.
 */
export function evidenceGradeOf(facts: {
  /** null: there was no exam of ours. */
  percent: number | null;
  creditedMs: number;
  declaredMs: number;
  flagsUpheld: number;
}): EvidenceGrade {
  if (facts.percent === null) return 'C';
  const share = facts.creditedMs / facts.declaredMs;
  if (share >= SHARE_A) return facts.flagsUpheld === 0 ? 'A' : 'B';
  return share >= SHARE_B && facts.flagsUpheld === 0 ? 'B' : 'C';
}

/** What a certificate says was checked. */
export function evidenceOfEarned(grade: EvidenceGrade): Text {
  return {
    'zh-CN': `完成全部课程活动，并通过由服务端组卷、计时与评分的考试（证据等级 ${grade}）`,
    en: `All course activities completed; exam drawn, timed and graded by the server passed (evidence grade ${grade})`,
  };
}
