import { useEffect, useState } from 'react';
import { useLanguage } from '../language.tsx';

export function Countdown({ deadline, over }: { deadline: string; over: () => void }) {
  const { t } = useLanguage();
  const [now, setNow] = useState(() => Date.now());
  const left = Math.max(0, Math.ceil((Date.parse(deadline) - now) / 1000));
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (left > 0) return;
    // The service grades a little after the end, for what is still on its way.
    const timer = setInterval(over, 5_000);
    return () => clearInterval(timer);
  }, [left, over]);
  const minutes = Math.floor(left / 60);
  return (
    <>
      <p className={left <= 60 ? 'countdown urgent' : 'countdown'} role="timer">
        {left === 0 ? t.timeOver : t.timeLeft(`${minutes}:${String(left % 60).padStart(2, '0')}`)}
      </p>
      <p className="visually-hidden" aria-live="assertive">
        {left > 0 && left <= 60 ? t.timeWarning(1) : left > 60 && left <= 300 ? t.timeWarning(5) : ''}
      </p>
    </>
  );
}
