// GraphiQL for Marquee: same-origin only, with worked examples as its first tabs.
// Static, though GraphiQL would load it on demand: esbuild puts the CSS of what
// is imported on demand into files that nobody loads.
import 'monaco-graphql/esm/monaco-editor.js';
// GraphiQL's parts rather than graphiql/style.css: that one carries half a
// megabyte of web fonts and a second copy of the editor's styles.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './graphiql.css';

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';

import cheapestUnder20 from './examples/cheapest-under-20.graphql';
import live from './examples/live.graphql';
import providerRuns from './examples/provider-runs.graphql';
import seriesWithItsDates from './examples/series-with-its-dates.graphql';
import thisWeekend from './examples/this-weekend.graphql';
import tomorrow from './examples/tomorrow.graphql';
import whatChanged from './examples/what-changed.graphql';

const examples = [tomorrow, thisWeekend, cheapestUnder20, seriesWithItsDates, whatChanged, live, providerRuns];

// WORKERS is filled in by build.mjs: label to hashed file.
globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(WORKERS[label] ?? WORKERS.editor),
};

const socket = new URL('/graphql', location.href);
socket.protocol = socket.protocol.replace('http', 'ws');
const fetcher = createGraphiQLFetcher({ url: '/graphql', wsClient: createClient({ url: socket.href }) });

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL fetcher={fetcher} defaultTabs={examples.map((query) => ({ query }))}>
    <GraphiQL.Logo>
      <nav className="marquee-links" aria-label="Marquee">
        <a className="home" href="/">Marquee</a>
        <a href="/docs">REST docs</a>
        <a href="/schema.graphql">Schema</a>
      </nav>
    </GraphiQL.Logo>
  </GraphiQL>,
);
