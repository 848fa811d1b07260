import { useState, type FormEvent } from 'react';
import { RequestFailed } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { Icon } from '../parts/icon.tsx';
import { send } from './asking.ts';

interface Row {
  readonly line: number;
  readonly number: string;
  readonly name: string | null;
  readonly outcome: 'valid' | 'expired' | 'revoked' | 'superseded' | 'unknown' | 'unreadable';
  readonly nameAgrees: boolean | null;
  readonly holderName: string | null;
}
interface Given {
  readonly body: Blob | string;
  readonly type: string;
}
type State =
  | { step: 'ask' }
  | { step: 'busy' }
  | { step: 'failed'; error: RequestFailed }
  | { step: 'told'; rows: readonly Row[]; given: Given };

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
/** More are in the workbook. */
const SHOWN = 200;
const SYMBOL = {
  valid: 'check',
  expired: 'clock',
  revoked: 'cross',
  superseded: 'swap',
  unknown: 'question',
  unreadable: 'question',
} as const;

/** A number, and behind blanks, commas or tabs a name, on each line: as somebody pastes it. */
function rowsIn(text: string): { number: string; name?: string }[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [number = '', ...rest] = line.split(/[\t,，;；]+|\s{1,}/);
      const name = rest.join(' ').trim();
      return name === '' ? { number } : { number, name };
    });
}

function isRight(row: Row): boolean {
  return row.outcome === 'valid' && row.nameAgrees !== false;
}

export function ListCheck() {
  const { t, code } = useLanguage();
  const language = code === 'en' ? 'en' : 'zh-CN';
  const [text, setText] = useState('');
  const [file, setFile] = useState<File | null>(null);
  const [state, setState] = useState<State>({ step: 'ask' });
  const [saving, setSaving] = useState(false);

  const given = (): Given =>
    file !== null
      ? { body: file, type: /\.csv$/i.test(file.name) ? 'text/csv' : XLSX }
      : { body: JSON.stringify({ certificates: rowsIn(text) }), type: 'application/json' };
  const failed = (error: unknown): void =>
    setState({
      step: 'failed',
      error: error instanceof RequestFailed ? error : new RequestFailed(String(error)),
    });

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (file === null && text.trim() === '') return;
    setState({ step: 'busy' });
    const asked = given();
    try {
      const response = await send('/api/verify', asked.body, asked.type, { language });
      const { results } = (await response.json()) as { results: Row[] };
      setState({ step: 'told', rows: results, given: asked });
    } catch (error) {
      failed(error);
    }
  };
  const save = async (asked: Given): Promise<void> => {
    setSaving(true);
    try {
      const response = await send('/api/verify', asked.body, asked.type, { language, accept: XLSX });
      const url = URL.createObjectURL(await response.blob());
      const link = document.createElement('a');
      link.href = url;
      link.download = t.listFileName;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      failed(error);
    } finally {
      setSaving(false);
    }
  };

  return (
    <details className="card screen-only">
      <summary>{t.listTitle}</summary>
      <p className="quiet">{t.listLead}</p>
      <form onSubmit={(event) => void submit(event)}>
        <label className="field">
          <span>{t.listPaste}</span>
          <textarea
            rows={5}
            value={text}
            spellCheck={false}
            disabled={file !== null}
            placeholder={t.listExample}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <label className="field">
          <span>{t.listFile}</span>
          <input
            type="file"
            accept=".xlsx,.csv"
            onChange={(event) => setFile(event.target.files?.[0] ?? null)}
          />
        </label>
        <button type="submit" disabled={state.step === 'busy'}>
          {state.step === 'busy' ? t.verifying : t.listVerify}
        </button>
      </form>
      <div aria-live="polite">
        {state.step === 'failed' && (
          <p className="notice bad" role="alert">
            {state.error.code === 'RATE_LIMITED'
              ? t.tooMuch
              : state.error.code === 'OFFLINE'
                ? t.stepOffline
                : state.error.message}
          </p>
        )}
        {state.step === 'told' && (
          <>
            <p className="big">
              <Icon name={state.rows.every(isRight) ? 'check' : 'question'} />{' '}
              {t.listSum(state.rows.length, state.rows.filter((row) => !isRight(row)).length)}
            </p>
            <ul className="list-rows">
              {[...state.rows]
                .sort((a, b) => Number(isRight(a)) - Number(isRight(b)) || a.line - b.line)
                .slice(0, SHOWN)
                .map((row) => (
                  <li key={row.line} className={isRight(row) ? 'good' : 'bad'} data-outcome={row.outcome}>
                    <Icon name={row.nameAgrees === false ? 'cross' : SYMBOL[row.outcome]} />
                    <span>
                      <strong>{row.number === '' ? t.listEmpty : row.number}</strong> {row.name ?? ''}
                      <br />
                      {t.listOutcome[row.outcome]}
                      {row.nameAgrees === true && ` · ${t.nameAgrees}`}
                      {row.nameAgrees === false && ` · ${t.nameDiffers(row.holderName ?? '')}`}
                      {row.nameAgrees === null &&
                        row.name !== null &&
                        row.holderName !== null &&
                        ` · ${t.nameNotCompared}`}
                      <span className="quiet"> {t.listLine(row.line)}</span>
                    </span>
                  </li>
                ))}
            </ul>
            {state.rows.length > SHOWN && <p className="quiet">{t.listMore(state.rows.length - SHOWN)}</p>}
            <button type="button" className="second" disabled={saving} onClick={() => void save(state.given)}>
              {t.listSave}
            </button>
            <p className="quiet">{t.listNotChecked}</p>
          </>
        )}
      </div>
    </details>
  );
}
