import { endpoint } from './config';

const structured = /json|multipart\/mixed|event-stream/i;
const maxShown = 200;

/** What a user is told of a request. GraphiQL would show the stack, too. */
class Told extends Error {
  override stack = undefined;
}

/** The server has answered, and not as a GraphQL server does. */
export class Refused extends Told {}

/** fetch, whose errors say where, what came, and what may be the cause. */
export async function request(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, { ...init, credentials: 'same-origin' }).catch(error => {
    throw error instanceof TypeError ? new Told(unanswered()) : error; // others: GraphiQL's stop button
  });
  const type = response.headers.get('Content-Type') ?? '';
  if (structured.test(type)) return response;
  const text = await response.clone().text();
  if (isJson(text)) return response;
  throw new Refused(`${endpoint} answers with HTTP status ${response.status} and ${text.trim() ? `no JSON: “${cut(text.trim())}”` : 'nothing else'}.${advice(response.status)}`);
}

/** Browsers do not tell scripts why a request got no answer. */
function unanswered() {
  const { origin } = new URL(endpoint);
  if (origin === location.origin) return `${endpoint} cannot be reached.`;
  return `${endpoint} cannot be reached, or does not let this page ask: it is another origin, whose answers to OPTIONS and POST must allow ${location.origin} and the headers X-Gqlcache-Debug, Content-Type and those of the editor (CORS). The browser's console says which it is.`;
}

/** What a user can do about a status. */
export function advice(status: number) {
  switch (status) {
    case 401:
    case 403:
      return ' What the server wants to know of you, such as Authorization, belongs in the headers below the editor.';
    case 404:
    case 405:
      return ' Is the GraphQL server there? An endpoint that begins with / is counted from the host, also behind a proxy; one without is counted from this page.';
    default:
      return '';
  }
}

function isJson(text: string) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const cut = (text: string) => (text.length > maxShown ? `${text.slice(0, maxShown)}…` : text);
