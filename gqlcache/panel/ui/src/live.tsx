import { Chart } from './chart';
import { bytes, compact, millis, number, percent, plural, rate, sum, title } from './format';
import { HashIcon, InstancesIcon, ShieldIcon, TrashIcon } from './icons';
import { act, useActions } from './inspector';
import { Confirm, Facts, Meter, NoSnapshot, Section, Warnings } from './parts';
import { useStore } from './state';
import type { Cluster, Mismatch, Snapshot, Tier, Verify } from './types';

/** The tab about all operations. */
export function LiveTab() {
  const snapshot = useStore(s => s.snapshot);
  const allowed = useActions();
  if (!snapshot) return <NoSnapshot />;
  return (
    <>
      <HitRate snapshot={snapshot} />
      <Totals snapshot={snapshot} />
      <Warnings list={snapshot.warnings ?? []} />
      <Section title="Tiers" aside={`instance ${snapshot.instance}`}>
        {snapshot.tiers.map(t => <TierRow key={t.name} tier={t} lookups={snapshot.totals.hits + snapshot.totals.misses + snapshot.totals.collapsed} />)}
      </Section>
      <NotCached snapshot={snapshot} />
      {snapshot.verify && <VerifySection verify={snapshot.verify} now={snapshot.now} />}
      {snapshot.cluster && <ClusterSection cluster={snapshot.cluster} />}
      <Protection snapshot={snapshot} />
      {allowed && (
        <div className="gqc-foot">
          <Confirm label="Clear the whole cache" armed="Press again to clear" name="clear" danger onConfirm={() => void act({ type: 'clear' })}>
            <TrashIcon /> Clear the cache
          </Confirm>
        </div>
      )}
    </>
  );
}

function HitRate({ snapshot }: { snapshot: Snapshot }) {
  const { hits, misses, bypasses, stepMs } = snapshot.series;
  const now = rate(sum(hits), sum(misses));
  const half = Math.floor(hits.length / 2);
  const later = rate(sum(hits.slice(half)), sum(misses.slice(half)));
  const earlier = rate(sum(hits.slice(0, half)), sum(misses.slice(0, half)));
  const all = rate(snapshot.totals.hits + snapshot.totals.collapsed, snapshot.totals.misses);
  const quiet = sum(hits) + sum(misses) + sum(bypasses) === 0;
  return (
    <div className="gqc-hero">
      <div className="gqc-big">
        <div>
          <strong data-hit-rate={now ?? ''}>{now == null ? '–' : percent(now)}</strong>
          <span>{now == null ? 'no lookups' : 'hit rate'} in the last {millis(hits.length * stepMs)}{all != null && `, ${percent(all)} since the start`}</span>
        </div>
        {later != null && earlier != null && (
          <span className={`gqc-trend ${later >= earlier ? 'gqc-up' : 'gqc-down'}`} title="the later half of that time against the earlier">
            {later >= earlier ? '▲' : '▼'} {Math.abs((later - earlier) * 100).toFixed(1)} points
          </span>
        )}
      </div>
      {quiet ? <p className="gqc-dim gqc-quiet">No query has come since this panel was opened. Run one.</p> : <Chart series={snapshot.series} />}
    </div>
  );
}

function Totals({ snapshot: { totals, uptimeMs, watchingSince, now } }: { snapshot: Snapshot }) {
  return (
    <>
      <Facts
        facts={[
          ['requests', compact(totals.requests)],
          ['hits', compact(totals.hits)],
          ['misses', compact(totals.misses)],
          ['joined', compact(totals.collapsed)],
          ['bypassed', compact(totals.bypasses)],
          ['invalidations', compact(totals.invalidations)],
        ]}
      />
      <p className="gqc-dim gqc-note">
        Since the start, {millis(uptimeMs)} ago. {watchingSince ? `Watching for ${millis(now - watchingSince)}: ${millis(totals.savedMs)} of resolvers' time saved.` : ''}
      </p>
    </>
  );
}

function TierRow({ tier: t, lookups }: { tier: Tier; lookups: number }) {
  const [fill, max] = t.maxBytes ? [t.bytes, t.maxBytes] : [t.entries, t.maxEntries ?? t.entries];
  return (
    <div className="gqc-tier" data-tier={t.name}>
      <div>
        <b>{t.name}</b>
        <span className={`gqc-state gqc-state-${t.status}`}>{t.status}</span>
        {t.note && <span className="gqc-dim gqc-cut" title={t.note}>{t.note}</span>}
        <span className="gqc-grow" />
        <span>{percent(lookups > 0 ? Math.min(1, t.hits / lookups) : 0)} of lookups</span>
      </div>
      {max > 0 && <Meter value={fill} max={max} tone="fill" label={`${t.name}: ${percent(max > 0 ? fill / max : 0)} full`} />}
      <div className="gqc-dim">
        <span>{number(t.entries)}{t.maxEntries ? ` of ${compact(t.maxEntries)}` : ''} entries</span>
        <span>{bytes(t.bytes)}{t.maxBytes ? ` of ${bytes(t.maxBytes)}` : ''}</span>
        <span>{compact(t.evictions)} evicted</span>
        <span>{compact(t.expirations)} expired</span>
        {t.errors > 0 && <span className="gqc-bad">{plural(t.errors, 'error')}</span>}
      </div>
    </div>
  );
}

/** Why queries were not looked up, or their answers not stored. */
function NotCached({ snapshot: { totals } }: { snapshot: Snapshot }) {
  const reasons = [...counted(totals.bypassedBy, 'not looked up'), ...counted(totals.notStored, 'not stored')];
  if (reasons.length === 0) return null;
  return (
    <Section title="Not cached">
      <div className="gqc-chips">
        {reasons.map(r => <span key={r.what + r.code} className="gqc-chip" title={r.what} data-not-cached={r.code}>{r.code} <b>{compact(r.count)}</b></span>)}
      </div>
    </Section>
  );
}

const counted = (by: Record<string, number> | null, what: string) =>
  Object.entries(by ?? {}).filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]).map(([code, count]) => ({ code, count, what }));

function VerifySection({ verify: v, now }: { verify: Verify; now: number }) {
  return (
    <Section title="Verify" aside={`${percent(v.rate, 2)} of hits are computed again`}>
      <Facts
        facts={[
          ['right', compact(v.confirmed)],
          ['wrong', <b className={v.mismatched > 0 ? 'gqc-bad' : undefined} data-mismatched={v.mismatched}>{compact(v.mismatched)}</b>],
          ['not comparable', compact(v.discounted + v.skipped)],
        ]}
      />
      <ul className="gqc-mismatches">{(v.mismatches ?? []).map((m, i) => <MismatchRow key={i} mismatch={m} now={now} />)}</ul>
    </Section>
  );
}

function MismatchRow({ mismatch: m, now }: { mismatch: Mismatch; now: number }) {
  return (
    <li data-mismatch={m.operation.name}>
      <p><b>{title(m.operation.name)}</b> was wrong at <code>{m.path || '(whole answer)'}</code>, {millis(m.ageMs)} old, {millis(now - m.at)} ago.</p>
      {(m.suspects ?? []).length === 0 ? (
        <p className="gqc-dim">No mutation has run since it was computed. Either something else writes to the data, or an extension that was added after the cache changes answers.</p>
      ) : (
        <ul>{m.suspects.map((s, i) => <li key={i} data-suspect={s.field}>{s.missing}</li>)}</ul>
      )}
    </li>
  );
}

function ClusterSection({ cluster: c }: { cluster: Cluster }) {
  return (
    <Section title="Instances" aside={<span className={`gqc-state gqc-state-${c.fresh ? 'up' : 'down'}`} data-lease={c.fresh}>{c.fresh ? 'lease valid' : 'no lease: nothing is served from the cache'}</span>}>
      <Facts
        facts={[
          ['members', c.published > 0 ? number(c.members) : <span className="gqc-dim" title="known once this instance has published a change">–</span>],
          ['position', <code>{c.position}</code>],
          ['records', compact(c.records)],
          ['published', compact(c.published)],
          ['unconfirmed', compact(c.unconfirmed)],
          ['pending', compact(c.pending)],
          ['leases lost', compact(c.leasesLost)],
          ['flushes', compact(c.flushes)],
          ['epochs', compact(c.epochs)],
        ]}
      />
    </Section>
  );
}

const callers: Record<string, string> = { same: 'all callers see the same', public: 'everything is public' };

function Protection({ snapshot: { security: s } }: { snapshot: Snapshot }) {
  return (
    <Section title="Who shares answers">
      <ul className="gqc-rows gqc-protection">
        <li>
          <ShieldIcon />
          <b>Callers</b>
          <span className="gqc-grow" />
          <span className="gqc-dim">{s.predicate ? `${plural(s.predicates, 'predicate')} seen while watching` : `no predicate; ${callers[s.callers] ?? s.callers}`}</span>
        </li>
        <li>
          <InstancesIcon />
          <b>Tenants</b>
          <span className="gqc-grow" />
          <span className="gqc-dim">{s.partitioned ? 'changes stay in their partition' : 'changes reach all'}</span>
        </li>
        <li>
          <HashIcon />
          <b>Schema</b>
          <code title={s.schemaHash}>{s.schemaHash.slice(0, 12)}</code>
          <span className="gqc-grow" />
          <span className="gqc-dim">for {millis(s.schemaSinceMs)}</span>
        </li>
      </ul>
    </Section>
  );
}

