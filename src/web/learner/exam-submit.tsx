import { useState, type RefObject } from 'react';
import { request, RequestFailed } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { SubmitAttempt } from './queries.ts';

/** Asks once more before an attempt is handed in. */
export function SubmitDialog({
  ref,
  attemptId,
  unanswered,
  settled,
  done,
}: {
  ref: RefObject<HTMLDialogElement | null>;
  attemptId: string;
  /** Their numbers. */
  unanswered: readonly number[];
  /** Until nothing is on its way that must come before. */
  settled: () => Promise<void>;
  done: () => void;
}) {
  const { t } = useLanguage();
  const [submitting, setSubmitting] = useState<{ busy: boolean; failure?: string }>({ busy: false });
  const submit = async (): Promise<void> => {
    setSubmitting({ busy: true });
    try {
      await settled();
      const { submitAttempt } = await request(SubmitAttempt, { id: attemptId });
      if (submitAttempt.__typename !== 'SubmitAttemptPayload' && submitAttempt.code !== 'ATTEMPT_CLOSED') {
        setSubmitting({ busy: false, failure: t.refusal[submitAttempt.code] ?? submitAttempt.message });
        return;
      }
      ref.current?.close();
      done();
    } catch (error) {
      const offline = error instanceof RequestFailed && error.code === 'OFFLINE';
      setSubmitting({ busy: false, failure: offline ? t.offline : String(error) });
    }
  };
  return (
    <dialog ref={ref} aria-labelledby="submit-title" onClose={() => setSubmitting({ busy: false })}>
      <h2 id="submit-title">{t.submitTitle}</h2>
      <p>{unanswered.length === 0 ? t.submitAll : t.submitMissing(unanswered)}</p>
      {submitting.failure !== undefined && <p role="alert">{submitting.failure}</p>}
      <div className="row spread">
        <button type="button" className="second" onClick={() => ref.current?.close()}>
          {t.cancel}
        </button>
        <button type="button" disabled={submitting.busy} onClick={() => void submit()}>
          {t.submitYes}
        </button>
      </div>
    </dialog>
  );
}
