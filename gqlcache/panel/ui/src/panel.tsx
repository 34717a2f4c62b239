import { useId, useRef, type KeyboardEvent } from 'react';
import { LiveTab } from './live';
import { LogTab } from './log';
import { SQLTab } from './sql';
import { OperationsTab, ViewsTab } from './tables';
import { RequestTab } from './request';
import { ValuesTab } from './values';
import { PauseIcon, PlayIcon } from './icons';
import { usePolling } from './inspector';
import { setState, useStore, type Link, type Tab } from './state';
import { title } from './format';

const tabs: { id: Tab; label: string; Content: () => React.ReactNode }[] = [
  { id: 'request', label: 'Request', Content: RequestTab },
  { id: 'live', label: 'Live', Content: LiveTab },
  { id: 'operations', label: 'Operations', Content: OperationsTab },
  { id: 'views', label: 'Views', Content: ViewsTab },
  { id: 'values', label: 'Values', Content: ValuesTab },
  { id: 'sql', label: 'SQL', Content: SQLTab },
  { id: 'log', label: 'Log', Content: LogTab },
];

const keys: Record<string, (at: number) => number> = {
  ArrowRight: at => at + 1,
  ArrowLeft: at => at - 1,
  Home: () => 0,
  End: () => tabs.length - 1,
};

/** The content of GraphiQL's plugin pane. It speaks to the inspector while it is shown. */
export function Panel() {
  const paused = useStore(s => s.paused);
  const tab = useStore(s => s.tab);
  const notice = useStore(s => s.notice);
  usePolling(paused);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const press = (e: KeyboardEvent) => {
    const to = keys[e.key]?.(tabs.findIndex(t => t.id === tab));
    if (to == null) return;
    e.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length]!;
    setState({ tab: next.id });
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  const { Content } = tabs.find(t => t.id === tab)!;
  return (
    <div className="gqc-root">
      <div className="gqc-title">
        <h2>Cache</h2>
        <LiveButton />
      </div>
      <div className="gqc-tabs" role="tablist" aria-label="Cache" ref={list} onKeyDown={press}>
        {tabs.map(t => (
          <button key={t.id} type="button" role="tab" id={`${id}${t.id}`} data-tab={t.id} aria-selected={t.id === tab} aria-controls={`${id}content`} tabIndex={t.id === tab ? 0 : -1} onClick={() => setState({ tab: t.id })}>
            {t.label}
          </button>
        ))}
      </div>
      <div className="gqc-body" role="tabpanel" id={`${id}content`} aria-labelledby={`${id}${tab}`} tabIndex={0}>
        <Content />
      </div>
      <Announcement />
      {notice && <div className={`gqc-notice${notice.bad ? ' gqc-notice-bad' : ''}`} role="status" data-notice>{notice.text}</div>}
    </div>
  );
}

const linkLabels: Record<Link, string> = { connecting: 'connecting', up: 'live', absent: 'no inspector', refused: 'refused', unreachable: 'disconnected' };

function LiveButton() {
  const paused = useStore(s => s.paused);
  const link = useStore(s => s.link);
  const what = paused ? 'Go on asking the server' : 'Stop asking the server';
  return (
    <button type="button" className={`gqc-live gqc-live-${paused ? 'paused' : link}`} aria-pressed={!paused} data-link={paused ? 'paused' : link} title={what} onClick={() => setState({ paused: !paused })}>
      {paused ? <PlayIcon /> : <PauseIcon />}
      {paused ? 'paused' : linkLabels[link]}
    </button>
  );
}

/** Tells screen readers what has come. */
function Announcement() {
  const shown = useStore(s => s.shown);
  return (
    <div className="gqc-hidden" role="status" aria-live="polite">
      {shown && `${title(shown.name)}: ${shown.cache?.status ?? 'no cache data'}. ${shown.cache?.reason.message ?? ''}`}
    </div>
  );
}
