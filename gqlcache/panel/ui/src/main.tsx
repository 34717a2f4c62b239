import { type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL, GraphiQLInterface, GraphiQLProvider } from 'graphiql';
import { ToolbarButton, usePluginStore, type GraphiQLPlugin } from '@graphiql/react';
import { DOC_EXPLORER_PLUGIN, DocExplorerContextProvider } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN, HistoryContextProvider } from '@graphiql/plugin-history';
import { setNonce } from 'get-nonce';
import { config, storage } from './config';
import { fetcher } from './fetcher';
import { CacheIcon, CacheOffIcon } from './icons';
import { useActions } from './inspector';
import { Panel } from './panel';
import { setState, useStore } from './state';
import { Strip } from './strip';

setNonce(config.nonce); // for the one style element that a dialog makes

// GraphiQL knows plugins by identity, and closes the pane when the array is another one.
const cachePlugin: GraphiQLPlugin = { title: 'Cache', icon: CacheIcon, content: Panel };
const plugins = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN, cachePlugin];

// GraphiQL 4.1.2 does not remember which plugin is open.
const openPlugin = 'gqlcache:plugin';
const firstPlugin = storage.getItem(openPlugin) ?? (matchMedia('(min-width: 800px)').matches ? cachePlugin.title : '');
const rememberPlugin = (plugin: GraphiQLPlugin | null) => storage.setItem(openPlugin, plugin?.title ?? '');

// A third of the window for the pane at first, in GraphiQL's measure.
if (storage.getItem('graphiql:docExplorerFlex') == null) storage.setItem('graphiql:docExplorerFlex', '0.52');

/** Only GraphiQL's own button opens the pane. */
function openPanel() {
  setState({ tab: 'request' });
  document.querySelector<HTMLElement>('.graphiql-sidebar button[aria-label="Show Cache"]')?.click();
}

function BypassButton() {
  const on = useStore(s => s.bypass);
  const allowed = useActions();
  if (!allowed && !on) return null;
  return (
    <ToolbarButton label={on ? 'The cache is bypassed: use it again' : 'Bypass the cache'} aria-pressed={on} className={on ? 'gqc-toolbar-on' : undefined} onClick={() => setState({ bypass: !on })}>
      <span className="graphiql-toolbar-icon gqc-toolbar"><CacheOffIcon /></span>
    </ToolbarButton>
  );
}

/** The interface looks once, when it mounts, which plugin is open; the provider says it in an effect. */
function WhenPluginsAreKnown({ children }: { children: ReactNode }) {
  return usePluginStore(s => s.plugins.length) > 0 ? children : null;
}

function App() {
  return (
    <GraphiQLProvider
      fetcher={fetcher}
      plugins={plugins}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      visiblePlugin={firstPlugin || undefined}
      onTogglePluginVisibility={rememberPlugin}
      storage={storage as unknown as Storage}
      defaultQuery={config.defaultQuery}
      defaultHeaders={config.uiHeaders}
      shouldPersistHeaders={false}
      inputValueDeprecation
      schemaDescription
    >
      <HistoryContextProvider>
        <DocExplorerContextProvider>
          <WhenPluginsAreKnown>
            <GraphiQLInterface isHeadersEditorEnabled showPersistHeadersSettings={false}>
              <GraphiQL.Toolbar>{({ prettify, copy, merge }) => <>{prettify}{merge}{copy}<BypassButton /></>}</GraphiQL.Toolbar>
              <GraphiQL.Footer><Strip onOpen={openPanel} /></GraphiQL.Footer>
            </GraphiQLInterface>
          </WhenPluginsAreKnown>
        </DocExplorerContextProvider>
      </HistoryContextProvider>
    </GraphiQLProvider>
  );
}

createRoot(document.getElementById('root')!).render(<App />);
