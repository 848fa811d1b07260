import { KeyObject } from 'node:crypto';
import { createLocalJWKSet, errors, type CryptoKey, type JWSHeaderParameters } from 'jose';
import { z } from 'zod';
import { makeKept, type Kept } from '../access/kept.ts';
import type { Clock } from '../clock.ts';
import { OutboundError, type Outbound } from '../network/outbound.ts';
import { LaunchRefused } from './refused.ts';

const keySetShape = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(200) });
/** Of a platform's key set, and for how long it is waited for. */
const MOST_BYTES = 256 * 1024;
const TIMEOUT_MS = 5_000;
const LEAST_BITS = 2048;
/** Platforms whose keys are kept in memory. */
const MOST_PLATFORMS = 1_000;

type KeySet = ReturnType<typeof createLocalJWKSet>;
export type KeySets = ReturnType<typeof makeKeySets>;

/**
 * The keys of platforms, kept for ten minutes, and for a day while one is away. A key that is not among them is looked for once more, at most
 * twice a minute whoever asks.
 */
export function makeKeySets({
  outbound,
  clock,
  timeoutMs = TIMEOUT_MS,
}: {
  outbound: Outbound;
  clock: Clock;
  /** Of one try, from the look-up to the last byte. */
  timeoutMs?: number;
}) {
  const kept = new Map<string, Kept<KeySet>>();

  const objects = new WeakMap<CryptoKey, KeyObject>();
  const keyObjectOf = (key: CryptoKey): KeyObject => {
    const object = objects.get(key) ?? KeyObject.from(key);
    // RFC 7518, section 3.3.
    if ((object.asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_BITS)
      throw new LaunchRefused('key-set-wrong', 'short key');
    objects.set(key, object);
    return object;
  };
  const of = (url: string): Kept<KeySet> => {
    let known = kept.get(url);
    if (known === undefined) {
      if (kept.size >= MOST_PLATFORMS) kept.delete(kept.keys().next().value!);
      known = makeKept(async () => {
        const answer = await outbound.fetch(url, {
          headers: { accept: 'application/json' },
          timeoutMs,
          maxBytes: MOST_BYTES,
        });
        if (answer.status !== 200) throw new OutboundError('UNREACHABLE', `It answered ${answer.status}.`);
        return createLocalJWKSet(keySetShape.parse(answer.json()));
      }, clock);
      kept.set(url, known);
    }
    return known;
  };

  return {
    /** The key that a token names. @throws LaunchRefused */
    async keyOf(url: string, header: JWSHeaderParameters): Promise<KeyObject> {
      const from = of(url);
      const look = async (keys: KeySet): Promise<KeyObject | undefined> => {
        try {
          return keyObjectOf(await keys(header));
        } catch (error) {
          // Several that fit are none that is named.
          if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
            return undefined;
          if (error instanceof LaunchRefused) throw error;
          throw new LaunchRefused('key-set-wrong', error instanceof Error ? error.name : undefined);
        }
      };
      let set: KeySet;
      try {
        set = await from.get();
      } catch (error) {
        throw error instanceof OutboundError
          ? new LaunchRefused('key-set-unreachable', error.code)
          : new LaunchRefused('key-set-wrong', error instanceof Error ? error.name : undefined);
      }
      const found = await look(set);
      if (found !== undefined) return found;
      const renewed = await from.renew();
      const again = renewed === undefined ? undefined : await look(renewed);
      if (again === undefined) throw new LaunchRefused('key-unknown');
      return again;
    },
  };
}
