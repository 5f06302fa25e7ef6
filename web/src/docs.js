// The REST docs: Swagger UI over /openapi.json.
import 'swagger-ui-dist/swagger-ui.css';
import './docs.css';

import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();

SwaggerUI({
  url: '/openapi.json',
  domNode: document.getElementById('docs'),
  presets: [SwaggerUI.presets.apis],
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: 'full',
  tryItOutEnabled: true,
  // Else Swagger UI sends the document's address to a validator of its maker.
  validatorUrl: null,
});
