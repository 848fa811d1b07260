import { useState } from 'react';
import { request } from '../graphql.ts';
import { formatTime, useLanguage } from '../language.tsx';
import { Said } from '../parts/said.tsx';
import type { Efficacy } from './efficacy-room.tsx';
import { WithdrawEfficacy } from './queries.ts';

type Given = Efficacy['given'][number];
/** Below this a mean has hardly moved: one answer of ten by one or two. */
const HARDLY = 0.25;

/** One's own answers at each time, and in a gentle word how they moved. Nothing here is a mark. */
export function EfficacyChange({
  assignmentId,
  efficacy,
  withChange,
  reload,
}: {
  assignmentId: string;
  efficacy: Efficacy;
  /** Not while it is asked: what was answered before would sway what is answered now. */
  withChange: boolean;
  reload: () => void;
}) {
  const { t } = useLanguage();
  const { given, scale } = efficacy;
  const [first] = given;
  const last = given.at(-1);
  if (first === undefined || last === undefined) return null;
  const moved = last.mean - first.mean;
  return (
    <>
      {withChange && (
        <section className="card">
          <h2>{t.efficacy.change}</h2>
          {given.length === 1 ? (
            <p>{t.efficacy.onlyOne}</p>
          ) : (
            <p>{moved > HARDLY ? t.efficacy.more : moved < -HARDLY ? t.efficacy.less : t.efficacy.same}</p>
          )}
          <table className="means">
            <caption className="visually-hidden">{t.efficacy.means}</caption>
            <thead className="visually-hidden">
              <tr>
                <th scope="col">{t.efficacy.when}</th>
                <th scope="col">{t.efficacy.means}</th>
              </tr>
            </thead>
            <tbody>
              {given.map((each) => (
                <tr key={each.wave}>
                  <th scope="row">{t.efficacy.wave[each.wave]}</th>
                  <td>
                    <meter
                      min={1}
                      max={scale.answers.length}
                      value={each.mean}
                      aria-label={t.efficacy.wave[each.wave]}
                    />{' '}
                    <span className="number">{each.mean.toFixed(1)}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="quiet">{t.efficacy.outOf(scale.answers.length)}</p>
          <h3>{t.efficacy.each}</h3>
          <ol className="moves">
            {scale.items.map((item) => (
              <li key={item.key}>
                <p>
                  <Said in={scale.language}>{item.text}</Said>
                </p>
                <ul>
                  {given.map((each) => (
                    <li key={each.wave}>
                      <span className="quiet">{t.efficacy.wave[each.wave]}</span>
                      <Dots answer={answerOf(each, item.key)} all={scale.answers.length} />
                      <span>
                        <Said in={scale.language}>{scale.answers[answerOf(each, item.key) - 1]}</Said>
                      </span>
                    </li>
                  ))}
                </ul>
              </li>
            ))}
          </ol>
        </section>
      )}
      <section className="card">
        <h2>{t.efficacy.yours}</h2>
        <p>{t.efficacy.yoursHint}</p>
        {given.map((each) => (
          <Withdraw key={each.wave} assignmentId={assignmentId} given={each} reload={reload} />
        ))}
      </section>
    </>
  );
}

const answerOf = (given: Given, itemKey: string): number =>
  given.answers.find((answer) => answer.itemKey === itemKey)!.answer;

function Dots({ answer, all }: { answer: number; all: number }) {
  return (
    <span className="rating" aria-hidden="true">
      {Array.from({ length: all }, (_, at) => (
        <span key={at} className={at < answer ? 'full' : ''} />
      ))}
    </span>
  );
}

/** Asks once more, since what was taken back can't be had again. */
function Withdraw({
  assignmentId,
  given,
  reload,
}: {
  assignmentId: string;
  given: Given;
  reload: () => void;
}) {
  const { t, language } = useLanguage();
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState(false);
  const withdraw = async (): Promise<void> => {
    try {
      await request(WithdrawEfficacy, { input: { assignmentId, wave: given.wave } });
      reload();
    } catch {
      setFailed(true);
    }
  };
  return (
    <div className="row spread">
      <span>
        {t.efficacy.wave[given.wave]} <span className="quiet">{formatTime(given.givenAt, language)}</span>
      </span>
      {asking ? (
        <span className="row">
          <button type="button" onClick={() => void withdraw()}>
            {t.efficacy.withdrawYes}
          </button>
          <button type="button" className="second" onClick={() => setAsking(false)}>
            {t.efficacy.keep}
          </button>
        </span>
      ) : (
        <button
          type="button"
          className="plain"
          aria-label={`${t.efficacy.withdraw}: ${t.efficacy.wave[given.wave]}`}
          onClick={() => setAsking(true)}
        >
          {t.efficacy.withdraw}
        </button>
      )}
      {failed && <p role="alert">{t.offline}</p>}
    </div>
  );
}
