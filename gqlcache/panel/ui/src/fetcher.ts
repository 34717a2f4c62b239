import { createGraphiQLFetcher, isAsyncIterable, isObservable, type Fetcher, type FetcherOpts, type FetcherParams } from '@graphiql/toolkit';
import { getOperationAST } from 'graphql';
import { config, endpoint, subscriptions } from './config';
import { request } from './http';
import { askAgain, debugHeader, lastHeaders, refresh, rememberHeaders } from './inspector';
import { begin, getState, settle, type Exchange } from './state';
import type { Extension } from './types';

type Result = { extensions?: Record<string, unknown>; hasNext?: boolean } & Record<string, unknown>;

const options = { url: endpoint, subscriptionUrl: subscriptions, headers: config.fetcherHeaders };
const shared = createGraphiQLFetcher({ ...options, fetch: request });

/** GraphiQL's fetcher, which asks for extensions.cache and shows what came to the panel. */
export const fetcher = (async (params: FetcherParams, opts?: FetcherOpts) => {
  if (params.operationName === 'IntrospectionQuery') {
    // GraphiQL asks for the schema before its editor has the headers.
    return shared(params, { ...opts, headers: opts?.headers ?? lastHeaders() });
  }
  const headers = (opts?.headers ?? {}) as Record<string, string>;
  rememberHeaders(headers);

  const operation = opts?.documentAST ? getOperationAST(opts.documentAST, params.operationName) : null;
  const type = operation?.operation ?? 'query';
  const exchange = begin(params.operationName || operation?.name?.value || '', type);
  const send = type === 'subscription' ? shared : measured(exchange);
  const asked = getState().bypass ? { ...params, extensions: { cache: { bypass: true } } } : params;
  try {
    const out = await send(asked, { ...opts, headers: { ...headers, [debugHeader]: 'true' } });
    if (isAsyncIterable(out)) return each(out as AsyncIterable<Result | Result[]>, exchange);
    if (isObservable(out)) return observed(out, exchange);
    return watch(out as Result, exchange);
  } catch (error) {
    settle(exchange, undefined, error instanceof Error ? error.message : String(error));
    throw error;
  }
}) as Fetcher;

/** A fetcher for one call, so that its time belongs to that call. */
function measured(exchange: Exchange): Fetcher {
  return createGraphiQLFetcher({
    ...options,
    fetch: async (input, init) => {
      const start = performance.now();
      const response = await request(input, init);
      exchange.httpMs = performance.now() - start;
      exchange.httpStatus = response.status;
      exchange.cacheStatus = response.headers.get('Cache-Status');
      return response;
    },
  });
}

async function* each(results: AsyncIterable<Result | Result[]>, exchange: Exchange) {
  try {
    for await (const r of results) yield Array.isArray(r) ? r.map(part => watch(part, exchange)) : watch(r, exchange);
  } catch (error) {
    settle(exchange, undefined, error instanceof Error ? error.message : String(error));
    throw error;
  }
}

function observed(out: { subscribe(o: any): unknown }, exchange: Exchange) {
  return {
    subscribe: (observer: any) => out.subscribe({ ...observer, next: (r: Result) => observer.next(watch(r, exchange)) }),
  };
}

/** Notes what a response says about the cache, and takes it out of what is shown. */
function watch(result: Result, exchange: Exchange): Result {
  const cache = result?.extensions?.cache as Extension | undefined;
  if (cache || !result?.hasNext) {
    settle(exchange, cache);
    if (getState().link !== 'up') askAgain();
    else if (cache) void refresh();
  }
  if (!cache || getState().showExtension) return result;
  const { cache: _, ...others } = result.extensions!;
  const { extensions: __, ...body } = result;
  return Object.keys(others).length > 0 ? { ...body, extensions: others } : body;
}
