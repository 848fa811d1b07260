import { ChoiceAnswer } from './exam-choice.tsx';
import { MatchingAnswer } from './exam-matching.tsx';
import { NumericAnswer } from './exam-numeric.tsx';
import { OrderingAnswer } from './exam-ordering.tsx';
import type { Attempt } from './exam-room.tsx';

/** A question, in an exam or for practice. */
export type Item = Attempt['items'][number];

export interface AnswerProps {
  readonly item: Item;
  /** As `saveResponse` takes it. */
  readonly chosen: readonly string[];
  readonly choose: (chosen: readonly string[]) => void;
}

/** The fields in which a question is answered, by its kind. */
export function Answer(props: AnswerProps) {
  switch (props.item.kind) {
    case 'ORDERING':
      return <OrderingAnswer {...props} />;
    case 'MATCHING':
      return <MatchingAnswer {...props} />;
    case 'NUMERIC':
      return <NumericAnswer {...props} />;
    case 'SINGLE':
    case 'MULTIPLE':
    case 'TRUE_FALSE':
      return <ChoiceAnswer {...props} />;
  }
}

export function isAnswered(item: Item, chosen: readonly string[]): boolean {
  return item.kind === 'MATCHING' ? chosen.length === item.options.length : chosen.length > 0;
}
