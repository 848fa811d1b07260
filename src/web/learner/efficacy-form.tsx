import { useRef, useState } from 'react';
import { request, RequestFailed } from '../graphql.ts';
import { languageOf, useLanguage } from '../language.tsx';
import { Said } from '../parts/said.tsx';
import type { Wave } from './efficacy-offer.tsx';
import type { Efficacy } from './efficacy-room.tsx';
import { AnswerEfficacy } from './queries.ts';

/** All items at once, sent together: nothing is kept of one that was not sent. */
export function EfficacyForm({
  assignmentId,
  scale,
  wave,
  done,
  decline,
}: {
  assignmentId: string;
  scale: Efficacy['scale'];
  wave: Wave;
  done: () => void;
  decline: () => void;
}) {
  const { t } = useLanguage();
  const [answers, setAnswers] = useState<ReadonlyMap<string, number>>(new Map());
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const missing = scale.items.filter((item) => !answers.has(item.key));

  const send = async (): Promise<void> => {
    const [first] = missing;
    if (first !== undefined) {
      setRefusal(t.efficacy.missing(missing.length));
      // To where it goes on, since the sentence may be far above.
      form.current?.querySelector<HTMLInputElement>(`input[name="${first.key}"]`)?.focus();
      return;
    }
    setBusy(true);
    try {
      const { answerEfficacy } = await request(AnswerEfficacy, {
        input: {
          assignmentId,
          wave,
          answers: scale.items.map(({ key }) => ({ itemKey: key, answer: answers.get(key)! })),
        },
      });
      if (
        answerEfficacy.__typename === 'AnswerEfficacyPayload' ||
        answerEfficacy.code === 'ALREADY_ANSWERED'
      ) {
        done();
        return;
      }
      setRefusal(t.refusal[answerEfficacy.code] ?? answerEfficacy.message);
    } catch (error) {
      setRefusal(error instanceof RequestFailed && error.code === 'OFFLINE' ? t.offline : String(error));
    }
    setBusy(false);
  };

  return (
    <form
      ref={form}
      className="scale"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <p className="notice">
        <Said in={scale.language}>{scale.introduction}</Said>
      </p>
      {scale.items.map((item, at) => (
        <fieldset key={item.key} className="card">
          <legend>
            {at + 1}. <Said in={scale.language}>{item.text}</Said>
          </legend>
          <div className="degrees">
            {scale.answers.map((answer, index) => (
              <label
                key={answer}
                className={answers.get(item.key) === index + 1 ? 'degree chosen' : 'degree'}
              >
                <input
                  type="radio"
                  name={item.key}
                  checked={answers.get(item.key) === index + 1}
                  onChange={() => {
                    setAnswers(new Map(answers).set(item.key, index + 1));
                    setRefusal(undefined);
                  }}
                />
                <span lang={languageOf(scale.language)}>{answer}</span>
              </label>
            ))}
          </div>
        </fieldset>
      ))}
      <details className="card">
        <summary>{t.efficacy.why}</summary>
        <ol>
          {scale.items.map((item) => (
            <li key={item.key}>
              <Said in={scale.language}>{item.purpose}</Said>
            </li>
          ))}
        </ol>
      </details>
      {refusal !== undefined && (
        <p role="alert" className="notice bad">
          {refusal}
        </p>
      )}
      <p className="quiet">{t.efficacy.answered(answers.size, scale.items.length)}</p>
      <div className="row">
        <button type="submit" disabled={busy}>
          {t.efficacy.send}
        </button>
        <button type="button" className="second" disabled={busy} onClick={decline}>
          {t.efficacy.decline}
        </button>
      </div>
    </form>
  );
}
