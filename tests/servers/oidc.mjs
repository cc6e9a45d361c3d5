// An OpenID provider (https://github.com/panva/node-oidc-provider) with its own sign-in and consent pages, and beside
// it an API with one case that takes its access tokens. Run as `node oidc.mjs PORT`, on loopback.
import http from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [port, modules] = process.argv.slice(2);
const entry = createRequire(`${modules}/`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(entry).href);

const origin = `http://127.0.0.1:${port}`;
const provider = new Provider(origin, {
  clients: [{
    client_id: 'watcher',
    client_secret: 'a client secret of no worth',
    redirect_uris: [`${origin}/back`],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  cookies: { keys: ['made up'] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
});
provider.on('server_error', (_, error) => console.error(error));

let refused = false;
const serve = provider.callback();

async function answer(request, response) {
  const path = new URL(request.url, origin).pathname;
  if (path === '/back') return response.end('back at the portal');
  if (path === '/refuse') { refused = true; return response.end(); }
  if (path !== '/cases') return serve(request, response);
  const token = await provider.AccessToken.find((request.headers.authorization ?? '').replace('Bearer ', ''));
  response.statusCode = token && !refused ? 200 : 401;
  refused = false;
  response.setHeader('content-type', 'application/json');
  const cases = [{ number: 'E000000001', owner: token?.accountId, status: 'In progress' }];
  return response.end(JSON.stringify(response.statusCode === 200 ? { cases } : { error: 'sign in first' }));
}

http.createServer((request, response) => answer(request, response)).listen(Number(port), '127.0.0.1');
