import { useRef } from 'react';
import { CascadeTree } from './cascade';
import { ago, micros } from './format';
import { Empty, NoSnapshot } from './parts';
import { setState, useStore } from './state';
import type { LogEvent } from './types';

/** The tab with what was invalidated, newest first. While an event is open, the list stands still. */
export function LogTab() {
  const snapshot = useStore(s => s.snapshot);
  const open = useStore(s => s.openEvent);
  const frozen = useRef<LogEvent[] | null>(null);
  if (!snapshot) return <NoSnapshot />;
  if (open == null) frozen.current = null;
  else frozen.current ??= snapshot.log;
  const log = frozen.current ?? snapshot.log;
  const waiting = snapshot.log.filter(e => e.seq > (log.at(-1)?.seq ?? 0)).length;
  if (log.length === 0) {
    return <Empty title="No invalidation yet">Run a mutation. What it wrote, the views that this reaches, and the answers that fell appear here, while the panel is open.</Empty>;
  }
  return (
    <>
      {open != null && !log.some(e => e.seq === open) && <p className="gqc-dim">Event {open} is not kept any more.</p>}
      {waiting > 0 && (
        <button type="button" className="gqc-link" onClick={() => setState({ openEvent: null })}>
          {waiting} newer {waiting === 1 ? 'event' : 'events'}: close this one to see {waiting === 1 ? 'it' : 'them'}
        </button>
      )}
      <ol className="gqc-log">
        {[...log].reverse().map(e => (
          <li key={e.seq} data-event={e.seq}>
            <button type="button" aria-expanded={open === e.seq} onClick={() => setState({ openEvent: open === e.seq ? null : e.seq })}>
              <span className={`gqc-cause gqc-cause-${e.cause.kind}`}>{e.cause.kind}</span>
              <b className="gqc-cut">{e.cause.name || '(anonymous)'}</b>
              <span className="gqc-grow" />
              <span className="gqc-fell">−{e.evicted}</span>
              <span className="gqc-when gqc-dim">{ago(e.at, snapshot.now)}</span>
            </button>
            {open === e.seq && <Event event={e} />}
          </li>
        ))}
      </ol>
    </>
  );
}

function Event({ event: e }: { event: LogEvent }) {
  return (
    <div className="gqc-event">
      <p className="gqc-dim">event {e.seq}, {e.evicted} evicted, {e.kept} kept, {micros(e.durationUs)}</p>
      {e.everythingBecause && <p>Everything was dropped: {e.everythingBecause}.</p>}
      {(e.cascade.nodes ?? []).length > 0 && <CascadeTree cascade={e.cascade} />}
    </div>
  );
}
