import { useEffect, useRef, useState, type ReactNode } from 'react';
import { BoltIcon, BypassIcon, CopyIcon, HitIcon, MissIcon, NoneIcon, WarningIcon } from './icons';
import { notify, useStore } from './state';
import type { Status, Warning } from './types';

/** How a status looks. Colour never stands alone: each has its icon and its word. */
const looks: Record<Status | 'NONE', { label: string; tone: string; Icon: () => ReactNode }> = {
  HIT: { label: 'HIT', tone: 'hit', Icon: HitIcon },
  MISS: { label: 'MISS', tone: 'miss', Icon: MissIcon },
  BYPASS: { label: 'BYPASS', tone: 'bypass', Icon: BypassIcon },
  INVALIDATED: { label: 'INVALIDATED', tone: 'invalidated', Icon: BoltIcon },
  UNCHANGED: { label: 'UNCHANGED', tone: 'none', Icon: NoneIcon },
  INSPECTED: { label: 'INSPECTED', tone: 'none', Icon: NoneIcon },
  NONE: { label: 'NO CACHE DATA', tone: 'none', Icon: NoneIcon },
};

export const toneOf = (status: Status | undefined) => looks[status ?? 'NONE'].tone;

export function Pill({ status = 'NONE', small }: { status?: Status | 'NONE'; small?: boolean }) {
  const { label, tone, Icon } = looks[status] ?? looks.NONE;
  return (
    <span className={`gqc-pill gqc-tone-${tone}${small ? ' gqc-small' : ''}`} data-status={status}>
      <Icon />
      {label}
    </span>
  );
}

export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="gqc-section">
      <header>
        <h3>{title}</h3>
        {aside && <span className="gqc-aside">{aside}</span>}
      </header>
      {children}
    </section>
  );
}

export type Fact = [name: string, value: ReactNode];

export function Facts({ facts, columns = 3 }: { facts: Fact[]; columns?: 2 | 3 }) {
  return (
    <dl className={`gqc-facts gqc-columns-${columns}`}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Meter({ value, max, tone, label }: { value: number; max: number; tone: string; label: string }) {
  const width = max > 0 ? Math.max(0, Math.min(1, value / max)) * 100 : 0;
  return (
    <div className="gqc-meter" role="img" aria-label={label}>
      <i className={`gqc-fill-${tone}`} style={{ width: `${width}%` }} />
    </div>
  );
}

export function Copy({ text, label }: { text: string; label: string }) {
  const copy = () =>
    navigator.clipboard?.writeText(text).then(
      () => notify(`Copied the ${label}`),
      () => notify('The browser refused to copy', true),
    );
  return (
    <button type="button" className="gqc-icon-button" aria-label={`Copy the ${label}`} title={`Copy the ${label}`} onClick={copy}>
      <CopyIcon />
    </button>
  );
}

interface ConfirmProps {
  label: string;
  armed: string;
  name: string;
  danger?: boolean;
  onConfirm: () => void;
  children: ReactNode;
}

/** A button to press twice: the first press arms it, for three seconds. */
export function Confirm({ label, armed: armedText, name, danger, onConfirm, children }: ConfirmProps) {
  const [armed, setArmed] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const press = () => {
    clearTimeout(timer.current);
    setArmed(!armed);
    if (armed) onConfirm();
    else timer.current = setTimeout(() => setArmed(false), 3000);
  };
  return (
    <button type="button" className={`gqc-button${danger ? ' gqc-danger' : ''}${armed ? ' gqc-armed' : ''}`} aria-label={armed ? armedText : label} data-action={name} data-armed={armed} onClick={press}>
      {armed ? armedText : children}
    </button>
  );
}

/** The first few of many, and a button for the rest. */
export function Some<T>({ of, first = 4, total, children }: { of: T[]; first?: number; total?: number; children: (item: T) => ReactNode }) {
  const [all, setAll] = useState(false);
  const unsent = (total ?? of.length) - of.length;
  return (
    <>
      {(all ? of : of.slice(0, first)).map(children)}
      {of.length > first && (
        <button type="button" className="gqc-chip gqc-more" onClick={() => setAll(!all)}>
          {all ? 'fewer' : `+${of.length - first} more`}
        </button>
      )}
      {unsent > 0 && (all || of.length <= first) && <span className="gqc-chip gqc-more">and {unsent} not listed</span>}
    </>
  );
}

export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="gqc-empty" data-empty={title}>
      <strong>{title}</strong>
      <p>{children}</p>
    </div>
  );
}

/** What is shown in place of a snapshot that is not there. */
/** A search field for rows, and what says whether a row's text has what was typed. */
export function useFilter(label: string): [field: ReactNode, matches: (text: string) => boolean] {
  const [filter, setFilter] = useState('');
  const field = (
    <label className="gqc-search">
      <span className="gqc-hidden">{label}</span>
      <input type="search" value={filter} placeholder={label} onChange={e => setFilter(e.target.value)} />
    </label>
  );
  return [field, text => text.toLowerCase().includes(filter.toLowerCase())];
}

export function NoSnapshot() {
  const link = useStore(s => s.link);
  const message = useStore(s => s.linkError);
  switch (link) {
    case 'absent':
      return (
        <Empty title="No inspector">
          {message} Either it has no cache, or <code>Options.Inspector.Allow</code> is not set or says no to you, or something on the way drops the header <code>X-Gqlcache-Debug</code>. The panel goes on asking, with the headers of the last operation that was run.
        </Empty>
      );
    case 'refused':
      return <Empty title="The server refuses to tell">{message} The panel goes on asking, with the headers of the last operation that was run.</Empty>;
    case 'unreachable':
      return <Empty title="The server does not answer">{message} The panel goes on asking.</Empty>;
    default:
      return <Empty title="Connecting">Asking the server what its cache does.</Empty>;
  }
}

export function Warnings({ list }: { list: Warning[] }) {
  if (list.length === 0) return null;
  return (
    <ul className="gqc-warnings">
      {list.map((w, i) => (
        <li key={`${w.code} ${i}`} className={`gqc-severity-${w.severity}`} data-warning={w.code}>
          <WarningIcon />
          <div>
            <p>{w.message}</p>
            <code>{w.code}</code>
          </div>
        </li>
      ))}
    </ul>
  );
}
