import type { ReactNode } from 'react';
import type { ResultOf } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import type { ConversationRun } from './queries.ts';

export type PlayedRun = Omit<
  Extract<NonNullable<ResultOf<typeof ConversationRun>['node']>, { __typename: 'SimulationRun' }>,
  '__typename'
>;

/** The story touches risk: where to get help stands beside it, and not only at the foot of the page. */
export function HelpNow() {
  const { t } = useLanguage();
  return (
    <p className="help-now">
      {t.conversation.fiction}
      {t.helplines.map(({ number, name }) => (
        <a key={number} href={`tel:${number}`}>
          {name} {number}
        </a>
      ))}
    </p>
  );
}

export function Student({
  name,
  narration,
  says,
}: {
  name: string;
  narration: string | null;
  says: string | null;
}) {
  const { t } = useLanguage();
  return (
    <>
      {narration !== null && <p className="narration">{narration}</p>}
      {says !== null && (
        <p className="bubble student">
          <span className="visually-hidden">{t.conversation.says(name)}: </span>
          {says}
        </p>
      )}
    </>
  );
}

export function Teacher({ said }: { said: string }) {
  const { t } = useLanguage();
  return (
    <p className="bubble teacher">
      <span className="visually-hidden">{t.conversation.you}: </span>
      {said}
    </p>
  );
}

export function Coach({ text, children }: { text: string; children?: ReactNode }) {
  const { t } = useLanguage();
  return (
    <div className="coach">
      <strong>{t.conversation.coach}</strong>
      <p>{text}</p>
      {children}
    </div>
  );
}
