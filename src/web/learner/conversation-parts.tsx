import type { ReactNode } from 'react';
import type { ResultOf } from '../graphql.ts';
import { useLanguage, type LanguageCode } from '../language.tsx';
import { Said } from '../parts/said.tsx';
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
  language,
  name,
  narration,
  says,
}: {
  language: LanguageCode;
  name: string;
  narration: string | null;
  says: string | null;
}) {
  const { t } = useLanguage();
  return (
    <>
      {narration !== null && (
        <p className="narration">
          <Said in={language}>{narration}</Said>
        </p>
      )}
      {says !== null && (
        <p className="bubble student">
          <span className="visually-hidden">{t.conversation.says(name)}: </span>
          <Said in={language}>{says}</Said>
        </p>
      )}
    </>
  );
}

export function Teacher({ language, said }: { language: LanguageCode; said: string }) {
  const { t } = useLanguage();
  return (
    <p className="bubble teacher">
      <span className="visually-hidden">{t.conversation.you}: </span>
      <Said in={language}>{said}</Said>
    </p>
  );
}

export function Coach({
  language,
  text,
  children,
}: {
  language: LanguageCode;
  text: string;
  children?: ReactNode;
}) {
  const { t } = useLanguage();
  return (
    <div className="coach">
      <strong>{t.conversation.coach}</strong>
      <p>
        <Said in={language}>{text}</Said>
      </p>
      {children}
    </div>
  );
}
