// A provider of OpenID Connect that is not ours (oidc-provider, certified by the OpenID Foundation), with its own login and consent forms:
// whoever types a name is that name. It knows one client, whose address is KENTAI_URL, and wants PKCE and the client's secret.
//
// It prints its address as one line of JSON and goes on until it is ended.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.KENTAI_TEST_BROWSER + "/package.json");
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const server = createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://localhost:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: "kentai", client_secret: "a secret of the test", redirect_uris: [`${process.env.KENTAI_URL}/sign-in/oidc/callback`],
    grant_types: ["authorization_code"], response_types: ["code"], id_token_signed_response_alg: process.env.KENTAI_ALG ?? "RS256",
  }],
  pkce: { required: () => true, methods: ["S256"] },
  // Many providers say so in the token itself; by default this one does not.
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@Hospital.example`, email_verified: !id.startsWith("unverified"), preferred_username: id }),
  }),
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ["of a test"] },
  ttl: { AccessToken: 60, AuthorizationCode: 60, IdToken: 60, Interaction: 600, Session: 600, Grant: 600 },
});
server.on("request", provider.callback());
console.log(JSON.stringify({ issuer }));
