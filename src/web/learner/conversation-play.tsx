import { useEffect, useRef, useState, type ReactNode } from 'react';
import { request } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { Failed, Loading } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { Said } from '../parts/said.tsx';
import { ConversationEnd } from './conversation-end.tsx';
import { Face } from './conversation-face.tsx';
import { Coach, HelpNow, Student, Teacher, type PlayedRun } from './conversation-parts.tsx';
import { NotFound } from './not-found.tsx';
import { ConversationRun, MakeMove } from './queries.ts';

/** As long as somebody needs who thinks before they answer. */
const THINKING_MS = 900;

export function Conversation({
  id,
  onFinished,
  after,
}: {
  id: string;
  onFinished: (run: PlayedRun) => void;
  /** What can be done once it has ended. */
  after: ReactNode;
}) {
  const { code } = useLanguage();
  const page = useQuery(
    async () => (await request(ConversationRun, { id, language: code })).node,
    `${id} ${code}`,
  );
  if (page.status === 'loading') return <Loading />;
  if (page.status === 'failed')
    return <Failed code={page.error.code} message={page.error.message} retry={page.reload} />;
  if (page.data?.__typename !== 'SimulationRun') return <NotFound />;
  return <Played first={page.data} onFinished={onFinished} after={after} />;
}

interface Sent {
  readonly turn: number;
  readonly choice: string;
  readonly say: string;
}

function Played({
  first,
  onFinished,
  after,
}: {
  first: PlayedRun;
  onFinished: (run: PlayedRun) => void;
  after: ReactNode;
}) {
  const { t, code } = useLanguage();
  const words = t.conversation;
  // Moves are made on top of what was loaded; loaded anew, e.g. in the other language, it holds them itself.
  const [played, setPlayed] = useState({ on: first, run: first });
  const run = played.on === first ? played.run : first;
  const [sent, setSent] = useState<Sent>();
  const [state, setState] = useState<'waiting' | 'sending' | 'thinking' | 'failed'>('waiting');
  const [notice, setNotice] = useState<string>();
  const prompt = useRef<HTMLHeadingElement>(null);
  const newest = useRef<HTMLLIElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const { scene } = run;
  const { turn } = scene;
  const moved = run.scene.moves.length - first.scene.moves.length;
  useEffect(() => {
    if (moved === 0) return;
    // The button that was pressed is gone: whoever uses a keyboard goes on with the choices, and reads on from the newest words.
    prompt.current?.focus({ preventScroll: true });
    newest.current?.scrollIntoView({ behavior: isStill() ? 'auto' : 'smooth', block: 'start' });
  }, [moved]);

  const send = async (move: Sent): Promise<void> => {
    setSent(move);
    setState('sending');
    setNotice(undefined);
    try {
      const { makeMove } = await request(MakeMove, {
        input: { runId: run.id, turn: move.turn, choice: move.choice },
        language: code,
      });
      if (makeMove.__typename === 'MakeMovePayload' || makeMove.__typename === 'TurnMovedOn') {
        const next = makeMove.run;
        const mine = next.scene.moves[move.turn - 1]?.said === move.say;
        // Sent twice over a bad line it is the same move, and nobody need hear of it.
        if (!mine) setNotice(words.movedOn);
        setState('thinking');
        timer.current = setTimeout(
          () => {
            setPlayed({ on: first, run: next });
            setSent(undefined);
            setState('waiting');
            if (next.state === 'FINISHED') onFinished(next);
          },
          mine && !isStill() ? THINKING_MS : 0,
        );
        return;
      }
      setSent(undefined);
      setState('waiting');
      setNotice(t.refusal[makeMove.code] ?? makeMove.message);
    } catch {
      setState('failed');
    }
  };

  if (run.state === 'FINISHED')
    return <ConversationEnd run={run} after={after} fresh={first.state === 'OPEN'} />;
  if (turn === null) return null;
  return (
    <section className="conversation" data-turn={turn.number}>
      <header className="who" data-stays>
        <Face look={scene.studentLook} mood={turn.mood} name={scene.studentName} />
        <h2>{words.who(scene.studentName, scene.studentAge)}</h2>
      </header>
      <p className="quiet">
        <Said in={scene.language}>{scene.setting}</Said>
      </p>
      <HelpNow />
      <div role="log" aria-label={words.log}>
        <ol className="chat">
          {scene.moves.map((move, index) => (
            <li key={move.number} ref={index === scene.moves.length - 1 ? newest : undefined}>
              <Student
                language={scene.language}
                name={scene.studentName}
                narration={move.narration}
                says={move.says}
              />
              <Teacher language={scene.language} said={move.said} />
              {move.coach !== null && <Coach language={scene.language} text={move.coach} />}
            </li>
          ))}
          <li ref={scene.moves.length === 0 ? newest : undefined}>
            <Student
              language={scene.language}
              name={scene.studentName}
              narration={turn.narration}
              says={turn.says}
            />
            {sent !== undefined && <Teacher language={scene.language} said={sent.say} />}
          </li>
        </ol>
      </div>
      {notice !== undefined && (
        <p role="alert" className="notice">
          {notice}
        </p>
      )}
      {(state === 'sending' || state === 'thinking') && (
        <p className="thinking" role="status">
          <span aria-hidden="true" className="dots">
            <i />
            <i />
            <i />
          </span>{' '}
          {state === 'sending' ? words.sending : words.typing(scene.studentName)}
        </p>
      )}
      {state === 'failed' && sent !== undefined && (
        <div className="notice bad" role="alert">
          <p>{words.notSent}</p>
          <button type="button" onClick={() => void send(sent)}>
            {t.retry}
          </button>
        </div>
      )}
      <div role="group" aria-labelledby="say" className="say" hidden={state !== 'waiting'}>
        <h3 id="say" ref={prompt} tabIndex={-1}>
          {words.choose}
        </h3>
        {turn.choices.map((choice) => (
          <button
            type="button"
            className="wide"
            key={`${turn.number} ${choice.key}`}
            onClick={() => void send({ turn: turn.number, choice: choice.key, say: choice.say })}
          >
            <Said in={scene.language}>{choice.say}</Said>
          </button>
        ))}
      </div>
    </section>
  );
}

function isStill(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
