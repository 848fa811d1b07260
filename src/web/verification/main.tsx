import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { LanguageProvider } from '../language.tsx';
import { Brand, Shell } from '../parts/page.tsx';
import { VerificationRoom } from './verification-room.tsx';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <LanguageProvider>
      <Shell
        home={
          <a href="/verify" className="home">
            <Brand />
          </a>
        }
      >
        <VerificationRoom />
      </Shell>
    </LanguageProvider>
  </StrictMode>,
);

// Where a page may have none (an old browser, a frame, no https) it works with the network as before.
void navigator.serviceWorker?.register('/verify/worker.js', { scope: '/verify' }).catch(() => undefined);
