import { useState } from 'react';
import { Link } from 'wouter';
import { request } from '../graphql.ts';
import { formatDay, useLanguage } from '../language.tsx';
import { DeclineEfficacy } from './queries.ts';

export type Wave = 'BEFORE' | 'AFTER' | 'MONTH_3' | 'MONTH_6' | 'MONTH_12';

/** Offers the scale when it is due, with one tap to decline; it is then gone, and nothing comes of it. */
export function EfficacyOffer({
  assignmentId,
  course,
  due,
}: {
  assignmentId: string;
  /** Named where several courses stand on the page. */
  course?: string;
  due: { wave: Wave; until: string | null; declined: boolean } | null | undefined;
}) {
  const { t, language } = useLanguage();
  const [gone, setGone] = useState(false);
  const [failed, setFailed] = useState(false);
  if (due === null || due === undefined || due.declined) return null;
  if (gone)
    return (
      <p role="status" className="quiet">
        {t.efficacy.declined}
      </p>
    );
  const decline = async (): Promise<void> => {
    try {
      await request(DeclineEfficacy, { input: { assignmentId, wave: due.wave } });
      setGone(true);
    } catch {
      setFailed(true);
    }
  };
  return (
    <section className="card offer" aria-label={t.efficacy.offer[due.wave]}>
      <h2>{t.efficacy.offer[due.wave]}</h2>
      {course !== undefined && <p className="quiet">{course}</p>}
      <p>{t.efficacy.offerHint}</p>
      {due.until !== null && <p className="quiet">{t.efficacy.until(formatDay(due.until, language))}</p>}
      <div className="row">
        <Link className="button" href={`/assignments/${encodeURIComponent(assignmentId)}/confidence`}>
          {t.efficacy.begin}
        </Link>
        <button type="button" className="second" onClick={() => void decline()}>
          {t.efficacy.decline}
        </button>
      </div>
      {failed && (
        <p role="alert" className="notice bad">
          {t.offline}
        </p>
      )}
    </section>
  );
}
