import { useCallback, useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import { request, type ResultOf } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { OpenSitting, RecordBeat } from './queries.ts';

/** In the time ledger the exam is an activity. */
export const EXAM = 'exam';

type Sitting = Extract<
  ResultOf<typeof OpenSitting>['openSitting'],
  { __typename: 'OpenSittingPayload' }
>['sitting'];

const RETRY_SECONDS = 5;
const USES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove', 'scroll'] as const;
/** Many events are one touch: it is only told that somebody is there, and roughly how busy. */
const ONE_USE_MS = 1_000;
const DEVICE_KEY = 'xinqiao.device';

/** A random number by which this browser is known again; undefined where it keeps nothing. */
function deviceNumber(): string | undefined {
  try {
    const known = localStorage.getItem(DEVICE_KEY) ?? crypto.randomUUID();
    localStorage.setItem(DEVICE_KEY, known);
    return known;
  } catch {
    return undefined;
  }
}

/**
 * Tells the service that this page is open, seen and used, as often as it asks; the service counts the time. It works in the background:
 * what fails is tried again, and nobody is bothered.
 * @returns `touch`, for uses that a frame tells of; `settle` tells of the time until now, before something that ends it; `sitting`, how it
 * stands.
 */
export function useTimekeeper(
  assignmentId: string,
  activityKey: string,
): { sitting: Sitting | undefined; touch: () => void; settle: () => Promise<void> } {
  const [sitting, setSitting] = useState<Sitting>();
  const tellNow = useRef<() => Promise<void>>(undefined);
  const uses = useRef({ count: 0, last: 0 });
  const touch = useCallback((): void => {
    const now = Date.now();
    if (now - uses.current.last < ONE_USE_MS) return;
    uses.current = { count: uses.current.count + 1, last: now };
  }, []);

  useEffect(() => {
    let proof: string | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let busy = false;
    let again = false;
    let over = false;

    const take = (taken: Sitting): number => {
      proof = taken.proof;
      if (!over) setSitting(taken);
      return taken.nextInSeconds;
    };
    /** @returns seconds until the next; undefined: none. */
    const tell = async (): Promise<number | undefined> => {
      if (proof === undefined) {
        const { openSitting } = await request(OpenSitting, {
          input: { assignmentId, activityKey, device: deviceNumber() ?? null },
        });
        return openSitting.__typename === 'OpenSittingPayload' ? take(openSitting.sitting) : undefined;
      }
      const { count } = uses.current;
      const { recordBeat } = await request(RecordBeat, {
        input: { proof, visible: !over && document.visibilityState === 'visible', interactions: count },
      });
      uses.current.count -= count;
      if (recordBeat.__typename === 'RecordBeatPayload') return take(recordBeat.sitting);
      proof = undefined;
      // Whatever else it is, the page is opened anew.
      return recordBeat.code === 'NOT_SIGNED_IN' || over ? undefined : 0;
    };
    const run = async (): Promise<void> => {
      clearTimeout(timer);
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      const wait = await tell().catch(() => RETRY_SECONDS);
      busy = false;
      if (again) {
        again = false;
        await run();
      } else if (wait !== undefined && !over) timer = setTimeout(() => void run(), wait * 1_000);
    };

    tellNow.current = run;
    const change = (): void => void run();
    document.addEventListener('visibilitychange', change);
    for (const use of USES) window.addEventListener(use, touch, { capture: true, passive: true });
    void run();
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', change);
      for (const use of USES) window.removeEventListener(use, touch, { capture: true });
      // The time until now.
      if (proof !== undefined || busy) void run();
    };
  }, [assignmentId, activityKey, touch]);

  const settle = useCallback(async (): Promise<void> => tellNow.current?.(), []);
  return { sitting, touch, settle };
}

/** How much time of this page counts, in one quiet line. */
export function TimeLine({ sitting }: { sitting: Sitting | undefined }) {
  const { t } = useLanguage();
  if (sitting === undefined) return null;
  const { pace, activity } = sitting;
  return (
    <p className="quiet time-line">
      {pace === 'FULL' ? t.timeFull : t.timeHere(Math.floor(activity.creditedSeconds / 60))}
      {(pace === 'IDLE' || pace === 'ELSEWHERE') && ` ${t.timePaused[pace]}`}{' '}
      <Link href="/about-time">{t.aboutTimeLink}</Link>
    </p>
  );
}
