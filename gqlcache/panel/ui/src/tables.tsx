import { ago, bytes, compact, millis, number, percent, rate, title } from './format';
import { act, useActions } from './inspector';
import { Confirm, Empty, Facts, Meter, NoSnapshot, useFilter } from './parts';
import { setState, useStore } from './state';
import { Table, type Column } from './table';
import type { LastInvalidation, OpStats, ViewStats } from './types';

function Rate({ hits, misses }: { hits: number; misses: number }) {
  const r = rate(hits, misses);
  if (r == null) return <span className="gqc-dim">–</span>;
  return (
    <span className="gqc-rate">
      <Meter value={r} max={1} tone={r >= 0.8 ? 'hit' : r >= 0.5 ? 'miss' : 'bad'} label={percent(r)} />
      {percent(r, 0)}
    </span>
  );
}

function Last({ last, now }: { last?: LastInvalidation; now: number }) {
  if (!last) return <p className="gqc-dim">Not reached by an invalidation while watching.</p>;
  return (
    <p>
      Last reached by <b>{last.cause}</b>, {ago(last.at, now)},{' '}
      <button type="button" className="gqc-link" onClick={() => setState({ tab: 'log', openEvent: last.seq })}>event {last.seq}</button>
    </p>
  );
}

const operations: Column<OpStats>[] = [
  { id: 'name', head: 'operation', value: o => title(o.name) },
  { id: 'rate', head: 'hit rate', value: o => rate(o.hits, o.misses) ?? -1, cell: o => <Rate hits={o.hits} misses={o.misses} /> },
  { id: 'requests', head: 'requests', value: o => o.hits + o.misses + o.bypasses, cell: o => compact(o.hits + o.misses + o.bypasses) },
  { id: 'saved', head: 'saved', hint: 'resolvers’ time that hits have saved', value: o => o.savedMs, cell: o => millis(o.savedMs) },
];

export function OperationsTab() {
  const snapshot = useStore(s => s.snapshot);
  const [field, matches] = useFilter('Filter operations');
  const allowed = useActions();
  if (!snapshot) return <NoSnapshot />;
  if (snapshot.operations.length === 0) return <Empty title="No operation yet">Operations are counted while this panel is open. Run one.</Empty>;
  const rows = snapshot.operations.filter(o => matches(title(o.name)));
  return (
    <>
      {field}
      {rows.length === 0 ? <Empty title="Nothing matches">No operation has that in its name.</Empty> : (
        <Table
          caption="Operations"
          rows={rows}
          columns={operations}
          id={o => `${o.name} ${o.hash}`}
          initial="requests"
          detail={o => (
            <>
              <Facts facts={[['hits', number(o.hits)], ['misses', number(o.misses)], ['bypassed', number(o.bypasses)], ['entries', number(o.entries)], ['bytes', bytes(o.bytes)], ['saved', millis(o.savedMs)]]} />
              <Last last={o.lastInvalidation} now={snapshot.now} />
              {(o.views ?? []).length > 0 && <div className="gqc-chips">{o.views.map(v => <span key={v} className="gqc-chip">{v}</span>)}</div>}
              {allowed && o.hash && (
                <Confirm label={`Invalidate the answers of ${title(o.name)}`} armed="Press again to invalidate" name="invalidateOperation" onConfirm={() => void act({ type: 'invalidateOperation', operation: o.name || o.hash })}>
                  Invalidate its answers
                </Confirm>
              )}
            </>
          )}
        />
      )}
    </>
  );
}

const views: Column<ViewStats>[] = [
  { id: 'name', head: 'view', value: v => v.name },
  { id: 'rate', head: 'hit rate', value: v => rate(v.hits, v.misses) ?? -1, cell: v => <Rate hits={v.hits} misses={v.misses} /> },
  { id: 'entries', head: 'entries', value: v => v.entries, cell: v => compact(v.entries) },
  { id: 'reached', head: 'reached', hint: 'invalidations that reached it', value: v => v.invalidations, cell: v => compact(v.invalidations) },
];

export function ViewsTab() {
  const snapshot = useStore(s => s.snapshot);
  const allowed = useActions();
  if (!snapshot) return <NoSnapshot />;
  if (snapshot.views.length === 0) return <Empty title="No views">The schema declares none: every mutation drops every answer. See @view in the README.</Empty>;
  return (
    <Table
      caption="Views"
      rows={snapshot.views}
      columns={views}
      id={v => v.name}
      initial="entries"
      detail={v => (
        <>
          <Facts columns={2} facts={[['depends on', (v.dependsOn ?? []).join(', ') || 'no other view'], ['reaches', (v.dependents ?? []).join(', ') || 'no other view']]} />
          <Last last={v.lastInvalidation} now={snapshot.now} />
          {allowed && (
            <Confirm label={`Invalidate the view ${v.name}`} armed="Press again to invalidate" name="invalidateView" onConfirm={() => void act({ type: 'invalidateView', view: v.name })}>
              Invalidate all that shows it
            </Confirm>
          )}
        </>
      )}
    />
  );
}
