import { Conflict, InvalidInput } from '../errors.ts';
import type { Viewer } from '../people/permission.ts';
import { readAnswer } from './answer.ts';
import type { AttemptItem, ExamService, Sat } from './exam.service.ts';
import { gradeItem } from './grade.ts';
import { drawPractice, practisable, resultsByCompetency, type CompetencyResult } from './practice.ts';

const MOST_ROUNDS = 1_000;

export type PracticeService = ReturnType<typeof makePracticeService>;

/** Practice after an attempt. It certifies nothing and leaves nothing behind: what is offered follows from the attempt itself. */
export function makePracticeService({ exams }: { exams: ExamService }) {
  const resultsOf = ({ attempt, course, items }: Sat): CompetencyResult[] => {
    const graded = items.flatMap(({ item, points }) =>
      points === null ? [] : [{ competency: item.competency, mustPass: item.mustPass, points }],
    );
    // Answers are forgotten some years after: of a part of them nothing follows.
    if (attempt.submittedAt === null || graded.length < items.length) return [];
    return resultsByCompetency(
      course.manifest.competencies.map(({ key }) => key),
      graded,
      course.manifest.exam.passMark,
    );
  };

  return {
    /** How the viewer's own attempt went, by competency; empty until it is graded. @throws NotFound */
    async listResults(
      viewer: Viewer,
      attemptId: string,
    ): Promise<(CompetencyResult & { readonly title: Sat['course']['manifest']['title'] })[]> {
      const sat = await exams.getSat(viewer, attemptId);
      return resultsOf(sat).map((result) => ({
        ...result,
        title: sat.course.manifest.competencies.find(({ key }) => key === result.key)!.title,
      }));
    },

    /** A few items of a competency that was weak in the attempt; empty for any other. @throws NotFound; InvalidInput */
    async list(viewer: Viewer, attemptId: string, competency: string, round: number): Promise<AttemptItem[]> {
      if (round < 0 || round > MOST_ROUNDS) throw new InvalidInput('round', `From 0 to ${MOST_ROUNDS}.`);
      const sat = await exams.getSat(viewer, attemptId);
      if (!resultsOf(sat).some((result) => result.key === competency && result.isWeak)) return [];
      return drawPractice(sat.bank, competency, sat, { seed: sat.attempt.seed, round }).map(
        ({ item, drawn }) => ({
          item,
          drawn,
          chosen: [],
          points: null,
          revealed: false,
        }),
      );
    },

    /**
     * Says at once what is right. @throws NotFound; Conflict ATTEMPT_OPEN before the attempt is graded; InvalidInput for what is no answer,
     * and for an item that is not offered: the key of one that may still be drawn stays here.
     */
    async check(
      viewer: Viewer,
      input: { attemptId: string; itemKey: string; chosen: readonly string[] },
    ): Promise<AttemptItem> {
      const sat = await exams.getSat(viewer, input.attemptId);
      if (sat.attempt.submittedAt === null)
        throw new Conflict('ATTEMPT_OPEN', 'Finish the attempt first; then practise.');
      const item = resultsOf(sat)
        .filter((result) => result.isWeak)
        .flatMap((result) => practisable(sat.bank, result.key, sat))
        .find(({ key }) => key === input.itemKey);
      if (item === undefined)
        throw new InvalidInput('input.itemKey', `Item "${input.itemKey}" is not offered for practice.`);
      const chosen = readAnswer(item, input.chosen);
      if (chosen.length === 0) throw new InvalidInput('input.chosen', 'Answer it first.');
      const offered = drawPractice([item], item.competency, sat, { seed: sat.attempt.seed, round: 0 });
      return { item, drawn: offered[0]!.drawn, chosen, points: gradeItem(item, chosen), revealed: true };
    },
  };
}
