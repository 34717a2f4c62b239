import { micros, millis, number, percent, rate, sum } from './format';
import { Pill } from './parts';
import { useStore } from './state';
import type { Extension } from './types';

/** One line under the response: the verdict, without the panel. */
export function Strip({ onOpen }: { onOpen: () => void }) {
  const shown = useStore(s => s.shown);
  const newest = useStore(s => s.recent[0]);
  const series = useStore(s => s.snapshot?.series);
  if (!shown) return null;
  const hitRate = series && rate(sum(series.hits), sum(series.misses));
  return (
    <button type="button" className="gqc-strip" data-responses={newest?.id} aria-label={`Cache: ${shown.cache?.status ?? 'no data'}. Open the cache panel`} onClick={onOpen}>
      <Pill status={shown.cache?.status} small />
      <span className="gqc-cut">{shown.cache ? summary(shown.cache) : (shown.error ?? 'The response says nothing about a cache.')}</span>
      <span className="gqc-grow" />
      {hitRate != null && <span className="gqc-dim">{percent(hitRate)} hits</span>}
    </button>
  );
}

function summary(c: Extension): string {
  switch (c.status) {
    case 'HIT':
      return `${micros(c.timing?.lookupUs ?? c.durationUs)} from ${c.tier}${c.timing?.savedUs ? `, ${micros(c.timing.savedUs)} saved` : ''}, ${millis(c.ttlMs)} left`;
    case 'MISS':
      return `${c.timing?.originUs ? `${micros(c.timing.originUs)} in the resolvers, ` : ''}${c.didCache ? `stored for ${millis(c.ttlMs)}` : c.collapsed ? 'computed for another request' : 'not stored'}. ${c.reason.message}`;
    case 'INVALIDATED': {
      const evicted = c.invalidation?.evicted;
      return evicted ? `${number(evicted.entries)} evicted, ${number(c.invalidation?.kept ?? 0)} kept, in ${micros(c.invalidation?.durationUs)}` : c.reason.message;
    }
    default:
      return c.reason.message;
  }
}
