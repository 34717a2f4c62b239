import { useEffect } from 'react';
import { config, endpoint } from './config';
import { advice, Refused, request } from './http';
import { getState, notify, setState, useStore } from './state';
import type { Action, Extension, Request, Snapshot } from './types';

/** The header that asks for extensions.cache. It forces a preflight when another origin sends it. */
export const debugHeader = 'X-Gqlcache-Debug';

/** The user's headers of the last operation: the inspector is behind the same authentication. */
let userHeaders: Record<string, string> = initialHeaders();

function initialHeaders(): Record<string, string> {
  try {
    return JSON.parse(config.uiHeaders ?? '{}');
  } catch {
    return {};
  }
}

export const lastHeaders = () => userHeaders;

export function rememberHeaders(headers: Record<string, string>) {
  userHeaders = headers;
}

/** The server has no inspector, or none for this user: it looks the same. */
class Absent extends Error {}

/** Speaks to the inspector: an operation that is not run, whose request says what is wanted. */
async function ask(what: Request): Promise<Extension> {
  const response = await request(endpoint, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json',
      ...config.fetcherHeaders,
      ...userHeaders,
      [debugHeader]: 'true',
    },
    body: JSON.stringify({
      query: 'query GqlcacheInspector { __typename }',
      operationName: 'GqlcacheInspector',
      extensions: { cache: what },
    }),
  });
  const body = await response.json().catch(() => undefined);
  const cache: Extension | undefined = body?.extensions?.cache;
  if (cache?.inspect || cache?.action) return cache;
  if (response.ok) throw new Absent('The server answers, and says nothing about a cache.');
  throw new Refused(body?.errors?.[0]?.message ?? `${endpoint} answers with HTTP status ${response.status}.${advice(response.status)}`);
}

const maxLog = 200;
const maxWait = 30_000;

let running = false;
let failures = 0;

export async function refresh() {
  if (running) return;
  running = true;
  try {
    const old = getState().snapshot;
    const { inspect } = await ask({ inspect: { since: old?.logNext ?? 0 } });
    failures = 0;
    if (inspect) setState({ snapshot: joined(old, inspect), link: 'up', linkError: '' });
  } catch (error) {
    failures++;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof Absent) setState({ link: 'absent', linkError: message, snapshot: null });
    else setState({ link: error instanceof Refused ? 'refused' : 'unreachable', linkError: message });
  } finally {
    running = false;
  }
}

/** A snapshot has the log since the last one. It is all of it when the server was restarted meanwhile. */
function joined(old: Snapshot | null, now: Snapshot): Snapshot {
  if (!old || old.instance !== now.instance || now.logNext < old.logNext) return now;
  const known = new Set(old.log.map(e => e.seq));
  return { ...now, log: [...old.log, ...now.log.filter(e => !known.has(e.seq))].slice(-maxLog) };
}

let wake = () => {};

/** Asks at once, for a user who has just got an answer: the server is there again, or knows the user now. */
export function askAgain() {
  failures = 0;
  wake();
}

/** Asks each second while the caller is shown, the page is visible and nobody has paused it. */
export function usePolling(paused: boolean) {
  useEffect(() => {
    if (paused) return;
    let stopped = false;
    let timer: ReturnType<typeof setTimeout>;
    const loop = async () => {
      if (document.visibilityState === 'visible') await refresh();
      if (!stopped) timer = setTimeout(loop, Math.min(maxWait, 1000 * 2 ** failures));
    };
    wake = () => {
      if (document.visibilityState !== 'visible') return;
      clearTimeout(timer);
      loop();
    };
    loop();
    const shown = () => wake();
    document.addEventListener('visibilitychange', shown);
    return () => {
      stopped = true;
      wake = () => {};
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', shown);
    };
  }, [paused]);
}

/** Changes the cache, and tells how it went. */
export async function act(action: Action) {
  try {
    const { action: result } = await ask({ action });
    if (result) notify(result.message, !result.ok);
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), true);
  }
  await refresh();
}

/** Whether this user may change the cache. */
export const useActions = () => useStore(s => s.snapshot?.capabilities.actions ?? false);
