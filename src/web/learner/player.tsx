import { useEffect, useRef, useState } from 'react';
import type { ResultOf } from '../graphql.ts';
import { useLanguage, type LanguageCode } from '../language.tsx';
import { SavingLine, type SavingState } from '../parts/saving.tsx';
import { makeEar, readMessage, type Why } from './player-message.ts';
import { PlayerSession } from './player-session.ts';
import type { ActivityPage } from './queries.ts';
import { TimeLine, useTimekeeper } from './timekeeper.tsx';

export type Progress = Extract<
  NonNullable<ResultOf<typeof ActivityPage>['node']>,
  { __typename: 'Assignment' }
>['activities'][number];

/** After this long a line is slow enough to say so. */
const SLOW_MS = 8_000;
/** A page that has come and says nothing by then is not the player. */
const SILENT_MS = 2_000;

/** Of one time that the frame is opened. */
type Stage =
  | { readonly is: 'loading'; readonly slow: boolean }
  | { readonly is: 'open' }
  | { readonly is: 'failed'; readonly why: Why | 'left'; readonly library: string };

/** A content in its frame: what it says is carried to the service, and what goes wrong is told, with a way on. */
export function Player({
  assignmentId,
  progress,
  playerUrl,
  language,
  onCompleted,
  reopen,
}: {
  assignmentId: string;
  progress: Progress;
  playerUrl: string;
  language: LanguageCode;
  onCompleted: () => void;
  reopen: () => void;
}) {
  const { t } = useLanguage();
  const { sitting, touch } = useTimekeeper(assignmentId, progress.activity.key);
  const frame = useRef<HTMLIFrameElement>(null);
  const [opening, setOpening] = useState(0);
  const [stage, setStage] = useState<Stage>({ is: 'loading', slow: false });
  const [trouble, setTrouble] = useState(false);
  const [flooded, setFlooded] = useState(false);
  const [saving, setSaving] = useState<SavingState>('idle');
  const [height, setHeight] = useState(420);
  // What the page hands to the player is what it knew when it opened: a newer answer must not restart it.
  const [first] = useState({ ...progress, playerUrl });
  const session = useRef<PlayerSession>(undefined);
  /** What a frame that is opened again goes on with. */
  const state = useRef(first.userState?.data ?? null);

  useEffect(() => {
    const carried = new PlayerSession(
      {
        assignmentId,
        activityKey: first.activity.key,
        language,
        version: first.userState?.version ?? 0,
        timed: first.secondsLeft !== null,
      },
      { saving: setSaving, completed: onCompleted },
    );
    session.current = carried;
    return () => carried.close();
    // One session for one activity that is open.
    // oxlint-disable-next-line react/exhaustive-deps
  }, []);

  useEffect(() => {
    const origin = new URL(first.playerUrl).origin;
    const hears = makeEar();
    let ready = false;
    let loads = 0;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const fail = (why: Why | 'left', library = ''): void => setStage({ is: 'failed', why, library });
    const slow = setTimeout(
      () => setStage((now) => (now.is === 'loading' ? { is: 'loading', slow: true } : now)),
      SLOW_MS,
    );
    const receive = (event: MessageEvent): void => {
      // Anything may send a message to a page; only this frame on the content origin is heard.
      const player = frame.current?.contentWindow;
      if (event.origin !== origin || player === undefined || player === null || event.source !== player)
        return;
      if (!hears(performance.now())) {
        setFlooded(true);
        return;
      }
      const message = readMessage(event.data);
      // Another page that the content put in its place learns nothing of this one.
      if (message === undefined || loads > 1) return;
      switch (message.type) {
        case 'ready':
          if (ready) return;
          ready = true;
          player.postMessage({ xinqiao: 1, type: 'open', state: state.current }, origin);
          break;
        case 'opened':
          setStage((now) => (now.is === 'loading' ? { is: 'open' } : now));
          break;
        case 'statement':
          session.current?.statement(message.statement);
          break;
        case 'state':
          state.current = message.data;
          session.current?.state(message.data);
          break;
        case 'height':
          setHeight(message.pixels);
          break;
        case 'used':
          touch();
          break;
        case 'failed':
          fail(message.why, message.library);
          break;
        case 'trouble':
          setTrouble(true);
      }
    };
    const loaded = (): void => {
      loads += 1;
      if (loads > 1) fail('left');
      else
        silence = setTimeout(() => {
          if (!ready) fail('network');
        }, SILENT_MS);
    };
    const element = frame.current;
    window.addEventListener('message', receive);
    element?.addEventListener('load', loaded);
    return () => {
      clearTimeout(slow);
      clearTimeout(silence);
      window.removeEventListener('message', receive);
      element?.removeEventListener('load', loaded);
    };
    // Once for each time that the frame is opened.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [opening]);

  useEffect(() => {
    if (frame.current !== null) frame.current.style.height = `${height}px`;
  }, [height, opening]);

  const again = (): void => {
    setStage({ is: 'loading', slow: false });
    setTrouble(false);
    setFlooded(false);
    setOpening((before) => before + 1);
  };

  return (
    <div className="player">
      <SavingLine state={saving} />
      {first.stateCleared && (
        <p className="notice" role="status">
          {t.stateCleared}
        </p>
      )}
      {saving === 'moved-on' && (
        <div className="notice" role="alert">
          <p>{t.movedOn}</p>
          <button type="button" onClick={reopen}>
            {t.loadNewer}
          </button>
        </div>
      )}
      {(trouble || flooded) && stage.is === 'open' && (
        <div className="notice" role="alert">
          <p>{flooded ? t.player.flooded : t.player.trouble}</p>
          <button type="button" className="button second" onClick={again}>
            {t.player.reload}
          </button>
        </div>
      )}
      {stage.is === 'failed' && (
        <div className="notice bad" role="alert">
          <p>{t.player.failed[stage.why](stage.library)}</p>
          <div className="row">
            <button type="button" className="button" onClick={again}>
              {t.player.reload}
            </button>
            {stage.why === 'script' && state.current !== null && (
              <button
                type="button"
                className="button second"
                onClick={() => {
                  state.current = null;
                  again();
                }}
              >
                {t.player.fromTheStart}
              </button>
            )}
          </div>
        </div>
      )}
      <div className={`player-frame player-${stage.is}`} aria-busy={stage.is === 'loading'}>
        {stage.is === 'loading' && (
          <div className="player-skeleton">
            <p role="status">{stage.slow ? t.player.slow : t.player.loading}</p>
            <span />
            <span />
            <span />
          </div>
        )}
        <iframe
          key={opening}
          ref={frame}
          src={first.playerUrl}
          title={first.activity.title}
          allow="fullscreen"
          // On an origin of its own, so that the first two together give it nothing of ours. Nothing lets it move the page around it.
          sandbox="allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads"
        />
      </div>
      <TimeLine sitting={sitting} />
    </div>
  );
}
