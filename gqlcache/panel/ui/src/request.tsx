import { useEffect, useState, type ReactNode } from 'react';
import { CascadeTree } from './cascade';
import { bytes, micros, millis, number, short, title } from './format';
import { CrossIcon, RowIcon, ViewIcon } from './icons';
import { act, useActions } from './inspector';
import { Copy, Empty, Facts, Meter, Pill, Section, Some, toneOf, Warnings } from './parts';
import { setState, useStore, type Exchange } from './state';
import type { Action, Change, Dependencies, Extension, Invalidation, KeyPart } from './types';

const maxDots = 12;

/** The tab about one operation. */
export function RequestTab() {
  const shown = useStore(s => s.shown);
  const recent = useStore(s => s.recent);
  const showExtension = useStore(s => s.showExtension);
  if (!shown) {
    return (
      <Empty title="Run an operation">
        Write a query or a mutation, and press <kbd>Ctrl</kbd> <kbd>Enter</kbd>. This panel then tells whether the answer came from the cache, why, and which changes will drop it.
      </Empty>
    );
  }
  return (
    <>
      {recent.length > 1 && <Recent list={recent.slice(0, maxDots)} shown={shown} />}
      <Detail key={shown.id} exchange={shown} />
      <label className="gqc-check">
        <input type="checkbox" checked={showExtension} onChange={e => setState({ showExtension: e.target.checked })} />
        <span>Show <code>extensions.cache</code> in the response, too</span>
      </label>
    </>
  );
}

function Recent({ list, shown }: { list: Exchange[]; shown: Exchange }) {
  return (
    <nav className="gqc-recent" aria-label="Recent responses, newest first">
      {list.map(e => {
        const label = `${title(e.name)}, ${e.cache?.status ?? 'no cache data'}`;
        return <button key={e.id} type="button" className={`gqc-dot gqc-tone-${toneOf(e.cache?.status)}`} aria-pressed={e.id === shown.id} aria-label={label} title={label} onClick={() => setState({ shown: e })} />;
      })}
      <span className="gqc-aside">last {list.length}, newest first</span>
    </nav>
  );
}

function Detail({ exchange }: { exchange: Exchange }) {
  const cache = exchange.cache;
  if (!cache) return <Silent exchange={exchange} />;
  return (
    <>
      <Verdict exchange={exchange} cache={cache} />
      <Warnings list={cache.warnings ?? []} />
      {cache.status === 'INVALIDATED' && <Mutation cache={cache} />}
      {cache.keyParts && cache.keyParts.length > 0 && <Key fingerprint={cache.key} parts={cache.keyParts} />}
      {cache.dependencies && <DroppedBy kept={cache.hit || cache.didCache} dependencies={cache.dependencies} anything={cache.dependsOnAnythingBecause} atRuntime={cache.readsAtRuntime} />}
      {!cache.dependencies && cache.dependsOnAnythingBecause && <Section title="Dropped by">Any change, because {cache.dependsOnAnythingBecause}.</Section>}
      <Section title="Response">
        <Facts
          facts={[
            ['round trip', millis(exchange.httpMs)],
            ['HTTP status', exchange.httpStatus ?? '–'],
            ['in the cache', micros(cache.durationUs)],
            ['size', cache.bytes ? bytes(cache.bytes) : '–'],
            ['tags', cache.tags ? number(cache.tags) : '–'],
            ['served', cache.entryHits ? `${number(cache.entryHits)}×` : '–'],
          ]}
        />
        {exchange.cacheStatus && <p className="gqc-line-of-code"><code>Cache-Status: {exchange.cacheStatus}</code></p>}
        <details className="gqc-raw">
          <summary>extensions.cache</summary>
          <pre tabIndex={0}>{JSON.stringify(cache, null, 2)}</pre>
        </details>
      </Section>
    </>
  );
}

function Silent({ exchange }: { exchange: Exchange }) {
  const inspected = useStore(s => s.link === 'up');
  return (
    <div className="gqc-hero">
      <div className="gqc-hero-top">
        <Pill />
        <span className="gqc-operation">{title(exchange.name)}</span>
      </div>
      <p className="gqc-reason">
        {exchange.error ?? silence(exchange, inspected)}
      </p>
    </div>
  );
}

function silence(exchange: Exchange, inspected: boolean) {
  if (exchange.type === 'subscription') return 'Subscriptions do not go through the cache.';
  if (inspected) return 'The operation did not come as far as the cache, as when it is not valid: see the response.';
  return 'The response says nothing about a cache: the server has none, or its gqlcache.Inspector does not allow you.';
}

function Verdict({ exchange, cache }: { exchange: Exchange; cache: Extension }) {
  return (
    <div className={`gqc-hero gqc-tone-${toneOf(cache.status)}`}>
      <div className="gqc-hero-top">
        <Pill status={cache.status} />
        {cache.tier && <span className="gqc-tag">{cache.tier}</span>}
        {cache.didCache && <span className="gqc-tag">stored</span>}
        {cache.collapsed && <span className="gqc-tag">joined</span>}
        <span className="gqc-operation" title={exchange.name}>{title(exchange.name)}</span>
      </div>
      <p className="gqc-reason" data-reason={cache.reason.code}>
        {cache.reason.message} {cache.reason.seq ? <EventLink seq={cache.reason.seq} /> : null}
      </p>
      {cache.status === 'INVALIDATED' ? <Toll cache={cache} /> : <Race cache={cache} />}
      {cache.ttlMs != null && <Life cache={cache} since={exchange.receivedAt ?? 0} />}
      {cache.consistency && <p>Other instances may not know of this change yet: consistency is <b>{cache.consistency}</b>.</p>}
    </div>
  );
}

function EventLink({ seq }: { seq: number }) {
  return (
    <button type="button" className="gqc-link" onClick={() => setState({ tab: 'log', openEvent: seq })}>
      event {seq}
    </button>
  );
}

/** What a mutation cost the cache. */
function Toll({ cache }: { cache: Extension }) {
  const { evicted, kept, durationUs } = cache.invalidation ?? ({ durationUs: 0 } as Invalidation);
  const unknown = <span className="gqc-dim">unknown</span>;
  return (
    <>
      <Facts
        facts={[
          ['evicted', <b data-evicted-total={evicted?.entries}>{evicted ? number(evicted.entries) : unknown}</b>],
          ['kept', <b data-kept={kept}>{kept != null ? number(kept) : unknown}</b>],
          ['took', <b>{micros(durationUs)}</b>],
        ]}
      />
      {!evicted && <p className="gqc-dim">What fell is counted while this panel is open, and it was not yet when this ran. The answers are dropped all the same.</p>}
    </>
  );
}

/** The cache's time beside that of the resolvers. */
function Race({ cache }: { cache: Extension }) {
  const t = cache.timing;
  if (!t || (!t.originUs && !t.lookupUs)) return null;
  const origin = t.originUs ?? 0;
  const max = Math.max(t.lookupUs, origin);
  const speed = origin / Math.max(t.lookupUs, 1);
  return (
    <div className="gqc-race">
      {cache.status !== 'BYPASS' && (
        <div>
          <span>cache</span>
          <Meter value={Math.max(t.lookupUs, max / 150)} max={max} tone="hit" label={`in the cache: ${micros(t.lookupUs)}`} />
          <b>{micros(t.lookupUs)}</b>
        </div>
      )}
      {origin > 0 && (
        <div>
          <span>origin</span>
          <Meter value={origin} max={max} tone={cache.hit ? 'ghost' : 'miss'} label={`${cache.hit ? 'computing it had taken' : 'in the resolvers'}: ${micros(origin)}`} />
          <b>{micros(origin)}</b>
        </div>
      )}
      {cache.hit && t.savedUs ? <p data-saved={t.savedUs}><b>{speed >= 10 ? Math.round(speed) : speed.toFixed(1)}×</b> faster, {micros(t.savedUs)} saved</p> : null}
    </div>
  );
}

/** The time to live, counting down. */
function Life({ cache, since }: { cache: Extension; since: number }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick(n => n + 1), 500);
    return () => clearInterval(timer);
  }, []);
  const passed = performance.now() - since;
  const age = (cache.ageMs ?? 0) + passed;
  const left = Math.max(0, (cache.ttlMs ?? 0) - passed);
  const limit = cache.ttlLimitedBy ? <>, limited by <code>{cache.ttlLimitedBy}</code></> : null;
  return (
    <div className="gqc-life">
      <Meter value={left} max={age + left} tone={left < (age + left) * 0.15 ? 'miss' : 'hit'} label={`${millis(left)} of ${millis(age + left)} left`} />
      <span>{left > 0 ? <><b>{millis(left)}</b> left, {millis(age)} old{limit}</> : <b>expired by now</b>}</span>
    </div>
  );
}

function Mutation({ cache }: { cache: Extension }) {
  const inv = cache.invalidation;
  const told = inv?.instances ? `${inv.confirmed ? 'all' : 'not all'} of ${inv.instances} other instances know` : undefined;
  const changes = cache.invalidatedEntities ?? [];
  return (
    <>
      {inv?.everythingBecause && <Warnings list={[{ code: 'everything', severity: 'warning', message: `Everything was dropped: ${inv.everythingBecause}.` }]} />}
      {inv?.cascade && inv.cascade.nodes.length > 0 && (
        <Section title="Cascade" aside={told}>
          <CascadeTree cascade={inv.cascade} />
        </Section>
      )}
      {changes.length > 0 && (
        <Section title="Changes" aside={`${changes.filter(c => !c.derived).length} written, ${changes.filter(c => c.derived).length} derived`}>
          <ul className="gqc-rows">{changes.map((c, i) => <ChangeRow key={i} change={c} />)}</ul>
        </Section>
      )}
      {inv?.evicted && inv.evicted.operations.length > 0 && (
        <Section title="Operations that lost answers" aside={bytes(inv.evicted.bytes)}>
          <div className="gqc-chips">
            {inv.evicted.operations.map(o => <span key={o.name} className="gqc-chip">{title(o.name)} <b>{number(o.entries)}</b></span>)}
          </div>
        </Section>
      )}
    </>
  );
}

function ChangeRow({ change }: { change: Change }) {
  return (
    <li data-change={change.view}>
      {change.derived ? <ViewIcon /> : <RowIcon />}
      <b>{change.view}</b>
      <span className="gqc-tag">{change.operation}</span>
      <span className="gqc-grow" />
      <span className="gqc-ids">
        {change.unknownRows ? <span className="gqc-dim">any row</span> : <Some of={change.ids ?? []} first={2}>{id => <code key={id} title={id}>{short(id)}</code>}</Some>}
      </span>
    </li>
  );
}

function Key({ fingerprint, parts }: { fingerprint?: string; parts: KeyPart[] }) {
  const compared = parts.some(p => p.changed);
  return (
    <Section title="Key" aside={fingerprint && <><code>{fingerprint}</code><Copy text={fingerprint} label="fingerprint" /></>}>
      <ul className="gqc-rows">
        {parts.map(p => (
          <li key={p.name} className={p.changed ? 'gqc-changed' : undefined} data-key-part={p.name} data-changed={p.changed ?? false}>
            <span className="gqc-part">{p.name}</span>
            <span className="gqc-cut" title={p.label}>{p.label}</span>
            <span className="gqc-grow" />
            <code>{p.fingerprint}</code>
            {compared && <span className="gqc-same">{p.changed ? 'differs' : 'same'}</span>}
          </li>
        ))}
      </ul>
      {compared && <p className="gqc-dim">Compared with the entry of this operation that has the most parts in common.</p>}
    </Section>
  );
}

const how: Record<string, string> = { rows: 'the rows shown', where: 'rows that meet its condition', all: 'any row', derived: 'derived' };

function DroppedBy({ kept, dependencies, anything, atRuntime = [] }: { kept: boolean; dependencies: Dependencies; anything?: string; atRuntime?: string[] }) {
  const { views, rows, rowCount } = dependencies;
  return (
    <Section title={kept ? 'Dropped by a change to' : 'Would be dropped by a change to'} aside={`${views.length} ${views.length === 1 ? 'view' : 'views'}, ${number(rowCount)} ${rowCount === 1 ? 'row' : 'rows'}`}>
      {anything && <p>Any change drops it, because {anything}.</p>}
      {atRuntime.length > 0 && <p data-at-runtime>And by what the resolvers of {atRuntime.join(', ')} have said at run time.</p>}
      <div className="gqc-chips">
        {views.map(v => (
          <Chip key={`${v.view} ${v.how} ${v.via ?? ''}`} icon={<ViewIcon />} hint={v.via ? `through ${v.via}` : (how[v.how] ?? v.how)} label={`Invalidate the view ${v.view}`} action={{ type: 'invalidateView', view: v.view }}>
            {v.view}
            <span className="gqc-dim"> {v.via ? `via ${v.via}` : v.how === 'rows' ? '' : (how[v.how] ?? v.how)}</span>
          </Chip>
        ))}
        <Some of={rows ?? []} total={rowCount}>
          {r => (
            <Chip key={`${r.view} ${r.id}`} icon={<RowIcon />} hint={r.id} label={`Invalidate the row ${r.id} of ${r.view}`} action={{ type: 'invalidateRow', view: r.view, id: r.id }}>
              {r.view} {short(r.id)}
            </Chip>
          )}
        </Some>
      </div>
    </Section>
  );
}

function Chip({ icon, hint, label, action, children }: { icon: ReactNode; hint: string; label: string; action: Action; children: ReactNode }) {
  const allowed = useActions();
  return (
    <span className="gqc-chip" title={hint}>
      {icon}
      <span>{children}</span>
      {allowed && (
        <button type="button" aria-label={label} title={label} data-action={action.type} data-target={action.id ?? action.view} onClick={() => void act(action)}>
          <CrossIcon />
        </button>
      )}
    </span>
  );
}
