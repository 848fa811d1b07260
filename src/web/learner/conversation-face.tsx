import { useLanguage } from '../language.tsx';

export type Mood =
  'CALM' | 'SMILING' | 'GUARDED' | 'SAD' | 'TEARFUL' | 'ANXIOUS' | 'ANGRY' | 'NUMB' | 'RELIEVED';
export type Look = 'GIRL' | 'BOY' | 'YOUNG_WOMAN' | 'YOUNG_MAN';

const INK = '#3a2f2b';
const SKIN = '#f6d7bd';
const HAIR = '#33292a';

/** How a mood shows: brows, eyes and mouth as lines, on a head whose middle is at 60, 62. */
const FEATURES: Record<
  Mood,
  { brows: string; eyes: 'open' | 'aside' | 'down' | 'half' | 'closed' | 'wide'; mouth: string }
> = {
  CALM: { brows: 'M41 52 Q46 49.5 51 51 M69 51 Q74 49.5 79 52', eyes: 'open', mouth: 'M53 79 Q60 82 67 79' },
  SMILING: {
    brows: 'M41 50 Q46 48.5 51 50 M69 50 Q74 48.5 79 50',
    eyes: 'open',
    mouth: 'M51 77 Q60 85 69 77',
  },
  GUARDED: { brows: 'M41 52 L51 52 M69 52 L79 52', eyes: 'aside', mouth: 'M54 80 L66 79' },
  SAD: { brows: 'M41 53 Q46 50 51 48 M69 48 Q74 50 79 53', eyes: 'down', mouth: 'M53 82 Q60 77 67 82' },
  TEARFUL: { brows: 'M41 54 Q46 50 51 47 M69 47 Q74 50 79 54', eyes: 'closed', mouth: 'M52 83 Q60 76 68 83' },
  ANXIOUS: {
    brows: 'M41 49 Q46 47 51 46 M69 46 Q74 47 79 49',
    eyes: 'wide',
    mouth: 'M52 81 Q55 78 58 81 T64 81 T69 80',
  },
  ANGRY: { brows: 'M41 48 L52 53 M68 53 L79 48', eyes: 'aside', mouth: 'M53 82 Q60 78 67 82' },
  NUMB: { brows: 'M41 52 L51 51.5 M69 51.5 L79 52', eyes: 'half', mouth: 'M54 80 L66 80' },
  RELIEVED: {
    brows: 'M41 51 Q46 48 51 50 M69 50 Q74 48 79 51',
    eyes: 'closed',
    mouth: 'M52 78 Q60 84 68 78',
  },
};

/** The student of the story: nobody's portrait, a few lines that say how it goes. */
export function Face({ look, mood, name }: { look: Look; mood: Mood; name: string }) {
  const { t } = useLanguage();
  const { brows, mouth } = FEATURES[mood];
  const girl = look === 'GIRL' || look === 'YOUNG_WOMAN';
  const grown = look === 'YOUNG_WOMAN' || look === 'YOUNG_MAN';
  return (
    <svg
      className="face"
      viewBox="0 0 120 120"
      role="img"
      aria-label={t.conversation.face(name, t.conversation.mood[mood])}
    >
      <rect width="120" height="120" rx="24" fill="#e3f2f0" />
      {girl && (
        <path d="M30 60 Q28 22 60 22 Q92 22 90 60 L92 92 Q84 98 78 92 L42 92 Q36 98 28 92 Z" fill={HAIR} />
      )}
      <path d="M52 88 H68 V100 H52 Z" fill="#eac4a5" />
      <path d="M22 120 Q24 99 50 97 L60 106 L70 97 Q96 99 98 120 Z" fill={grown ? '#5b6b80' : '#2f6fb0'} />
      <path d="M50 97 L60 106 L70 97 L66 95 L60 100 L54 95 Z" fill="#fff" />
      {!grown && <path d="M34 103 L30 120 M86 103 L90 120" stroke="#fff" strokeWidth="3.5" fill="none" />}
      <circle cx="33.5" cy="65" r="5.5" fill={SKIN} />
      <circle cx="86.5" cy="65" r="5.5" fill={SKIN} />
      <path d="M34 58 Q34 34 60 34 Q86 34 86 58 Q86 92 60 93 Q34 92 34 58 Z" fill={SKIN} />
      <Hair look={look} />
      {(mood === 'SMILING' || mood === 'RELIEVED' || mood === 'TEARFUL') && (
        <g fill="#f0a98f" opacity="0.5">
          <ellipse cx="43" cy="73" rx="5.5" ry="3" />
          <ellipse cx="77" cy="73" rx="5.5" ry="3" />
        </g>
      )}
      <g fill="none" stroke={INK} strokeWidth="2.4" strokeLinecap="round" strokeLinejoin="round">
        <path d={brows} />
        <path d={mouth} />
        <path d="M60 66 Q58.5 71 61 71.5" strokeWidth="1.5" opacity="0.55" />
      </g>
      <Eyes kind={FEATURES[mood].eyes} down={mood === 'TEARFUL'} />
      {mood === 'TEARFUL' && (
        <g fill="#7cb8e6">
          <path d="M44 67 q-3.2 6 0 8 q3.2 -2 0 -8 Z" />
          <path d="M76 70 q-3.2 6 0 8 q3.2 -2 0 -8 Z" />
        </g>
      )}
    </svg>
  );
}

function Hair({ look }: { look: Look }) {
  const paths: Record<Look, string> = {
    GIRL: 'M33 62 Q32 30 60 29 Q88 30 87 62 Q84 48 76 44 Q60 50 44 44 Q36 48 33 62 Z',
    YOUNG_WOMAN: 'M33 64 Q31 29 62 28 Q89 30 87 64 Q85 47 70 39 Q56 50 40 50 Q35 54 33 64 Z',
    BOY: 'M33 58 Q30 28 60 26 Q90 28 87 58 Q84 46 79 43 L72 46 L66 41 L58 46 L50 41 L43 46 Q36 48 33 58 Z',
    YOUNG_MAN: 'M33 57 Q31 27 62 26 Q90 29 87 57 Q85 45 78 40 Q62 44 46 38 Q36 46 33 57 Z',
  };
  return <path d={paths[look]} fill={HAIR} />;
}

function Eyes({ kind, down }: { kind: (typeof FEATURES)[Mood]['eyes']; down: boolean }) {
  const line = { fill: 'none', stroke: INK, strokeWidth: 2.4, strokeLinecap: 'round' } as const;
  if (kind === 'closed')
    return (
      <path
        {...line}
        d={down ? 'M41 60 Q46 64 51 60 M69 60 Q74 64 79 60' : 'M41 62 Q46 57.5 51 62 M69 62 Q74 57.5 79 62'}
      />
    );
  const [x, y] = kind === 'aside' ? [-2.6, 0.5] : kind === 'down' ? [0, 2] : [0, 0];
  const size = kind === 'wide' ? 3.2 : 3.6;
  return (
    <>
      {kind === 'wide' && (
        <g fill="#fff" stroke={INK} strokeWidth="1.4">
          <ellipse cx="46" cy="61" rx="6" ry="6" />
          <ellipse cx="74" cy="61" rx="6" ry="6" />
        </g>
      )}
      <g fill={INK}>
        <circle cx={46 + x} cy={61 + y} r={size} />
        <circle cx={74 + x} cy={61 + y} r={size} />
      </g>
      <g fill="#fff">
        <circle cx={47.2 + x} cy={59.8 + y} r="1.1" />
        <circle cx={75.2 + x} cy={59.8 + y} r="1.1" />
      </g>
      {(kind === 'half' || kind === 'down') && (
        <>
          <path d="M40 54 H52 V60.5 Q46 58 40 60.5 Z M68 54 H80 V60.5 Q74 58 68 60.5 Z" fill={SKIN} />
          <path {...line} strokeWidth="2" d="M41 60.4 Q46 58 51 60.4 M69 60.4 Q74 58 79 60.4" />
        </>
      )}
    </>
  );
}
