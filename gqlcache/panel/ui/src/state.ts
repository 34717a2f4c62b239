import { useSyncExternalStore } from 'react';
import type { Extension, Snapshot } from './types';

/** One operation that this page has sent, and what came back. Times are milliseconds. */
export interface Exchange {
  id: number;
  name: string;
  type: string;
  startedAt: number; // of performance.now, like receivedAt
  receivedAt?: number;
  httpMs?: number;
  httpStatus?: number;
  cacheStatus?: string | null; // the response header
  cache?: Extension;
  error?: string;
}

export type Tab = 'request' | 'live' | 'operations' | 'views' | 'values' | 'sql' | 'log';

/**
 * What the panel knows of the inspector. absent: the server answers, and has none for this user.
 * refused: it answers with an error. unreachable: it does not answer.
 */
export type Link = 'connecting' | 'up' | 'absent' | 'refused' | 'unreachable';

export interface State {
  shown: Exchange | null;
  recent: Exchange[]; // newest first
  snapshot: Snapshot | null;
  link: Link;
  linkError: string;
  paused: boolean;
  bypass: boolean;
  showExtension: boolean;
  tab: Tab;
  openEvent: number | null; // of the log
  notice: { id: number; text: string; bad: boolean } | null;
}

let state: State = {
  shown: null,
  recent: [],
  snapshot: null,
  link: 'connecting',
  linkError: '',
  paused: false,
  bypass: false,
  showExtension: false,
  tab: 'request',
  openEvent: null,
  notice: null,
};

const listeners = new Set<() => void>();

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export const getState = () => state;

export function setState(patch: Partial<State>) {
  state = { ...state, ...patch };
  listeners.forEach(listener => listener());
}

export function useStore<T>(pick: (s: State) => T): T {
  return useSyncExternalStore(subscribe, () => pick(state));
}

const maxRecent = 30;
let lastExchange = 0;

export function begin(name: string, type: string): Exchange {
  return { id: ++lastExchange, name, type, startedAt: performance.now() };
}

/** Shows a response. One that comes in parts is settled again by each that says something of the cache. */
export function settle(exchange: Exchange, cache: Extension | undefined, error?: string) {
  const receivedAt = performance.now();
  const done: Exchange = { ...exchange, receivedAt, httpMs: exchange.httpMs ?? receivedAt - exchange.startedAt, cache, error };
  setState({ shown: done, recent: [done, ...state.recent.filter(e => e.id !== done.id)].slice(0, maxRecent) });
}

let lastNotice = 0;

export function notify(text: string, bad = false) {
  const id = ++lastNotice;
  setState({ notice: { id, text, bad } });
  setTimeout(() => {
    if (state.notice?.id === id) setState({ notice: null });
  }, 5000);
}
