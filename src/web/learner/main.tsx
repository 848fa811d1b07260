import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Link, Route, Switch, useLocation } from 'wouter';
import { keepSession, request, sessionToken } from '../graphql.ts';
import { LanguageProvider, useLanguage } from '../language.tsx';
import { fitFrame } from '../parts/frame.ts';
import { Brand, Loading, Shell } from '../parts/page.tsx';
import { AboutTime } from './about-time.tsx';
import { ActivityRoom } from './activity-room.tsx';
import { AssignmentRoom } from './assignment-room.tsx';
import { CurriculumRoom } from './curriculum-room.tsx';
import { EfficacyRoom } from './efficacy-room.tsx';
import { ExamRoom } from './exam-room.tsx';
import { HomeRoom } from './home-room.tsx';
import { isLaunch, takeLaunch, type Launched } from './launch.ts';
import { NotAssigned } from './launch-notice.tsx';
import { openedByPackage, PackageAgree } from './package-agree.tsx';
import { NotFound } from './not-found.tsx';
import { SignIn, SignOut } from './queries.ts';
import { WayIn } from './way-in.tsx';

/** For everybody, signed in or not. */
const OPEN = ['/about-time', '/curriculum'];

function App() {
  const { t, code: language } = useLanguage();
  const [path, go] = useLocation();
  const [session, setSession] = useState<'entering' | 'in' | 'out'>(() =>
    isLaunch() || new URLSearchParams(location.search).has('sign-in')
      ? 'entering'
      : sessionToken() === null
        ? 'out'
        : 'in',
  );
  const [failed, setFailed] = useState(false);
  const [opened, setOpened] = useState(openedByPackage);
  const [launch, setLaunch] = useState<Launched | undefined>();

  const enter = async (key: string): Promise<void> => {
    try {
      const { signInSample } = await request(SignIn, { key });
      if (signInSample.__typename !== 'SignInSamplePayload') throw new Error(signInSample.code);
      keepSession(signInSample.token);
      setFailed(false);
      setSession('in');
    } catch {
      setFailed(true);
      setSession('out');
    }
    // The key goes from the address, so that a copied address signs nobody in.
    go('/', { replace: true });
  };
  useEffect(() => {
    if (isLaunch()) {
      const launched = takeLaunch(language);
      setLaunch(launched);
      go(launched.path, { replace: true });
      setSession('in');
      return;
    }
    const key = new URLSearchParams(location.search).get('sign-in');
    if (session === 'entering' && key !== null) void enter(key);
    // Once, when the page comes up.
    // oxlint-disable-next-line react/exhaustive-deps
  }, []);
  const leave = async (): Promise<void> => {
    await request(SignOut).catch(() => undefined);
    keepSession(null);
    setSession('out');
    go('/');
  };
  const ended = (): void => {
    keepSession(null);
    setSession('out');
  };

  return (
    <Shell
      home={
        <Link href="/" className="home">
          <Brand />
        </Link>
      }
      actions={
        session === 'in' ? (
          <button type="button" className="plain" onClick={() => void leave()}>
            {t.signOut}
          </button>
        ) : undefined
      }
    >
      {path === '/about-time' && <AboutTime />}
      {path === '/curriculum' && <CurriculumRoom />}
      {session === 'entering' && <Loading />}
      {session === 'out' && !OPEN.includes(path) && <WayIn failed={failed} enter={enter} />}
      {session === 'in' && opened !== undefined && (
        <PackageAgree
          opened={opened}
          go={(to) => {
            setOpened(undefined);
            go(to, { replace: true });
          }}
        />
      )}
      {session === 'in' && opened === undefined && (
        <Switch>
          <Route path="/">
            {launch !== undefined && launch.missingCourse !== null && (
              <NotAssigned course={launch.missingCourse} />
            )}
            <HomeRoom ended={ended} />
          </Route>
          <Route path="/assignments/:id">{({ id }) => <AssignmentRoom key={id} id={id} />}</Route>
          <Route path="/assignments/:id/activities/:activity">
            {({ id, activity }) => (
              <ActivityRoom key={`${id} ${activity}`} assignmentId={id} activityKey={activity} />
            )}
          </Route>
          <Route path="/assignments/:id/confidence">
            {({ id }) => <EfficacyRoom key={id} assignmentId={id} />}
          </Route>
          <Route path="/about-time" />
          <Route path="/curriculum" />
          <Route path="/attempts/:id">{({ id }) => <ExamRoom key={id} id={id} />}</Route>
          <Route>
            <NotFound />
          </Route>
        </Switch>
      )}
    </Shell>
  );
}

fitFrame();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <LanguageProvider>
      <App />
    </LanguageProvider>
  </StrictMode>,
);
