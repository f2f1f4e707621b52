// A provider of OpenID Connect that does what none should: it asks nobody who they are and answers as `/be?KEY=VALUE…` has told it last.
// What it knows of the specification is what a client must hold it to: PKCE, the client's secret, codes that count once.
//
// It prints its address as one line of JSON and goes on until it is ended. `/seen` tells what it was asked for.

import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { createServer } from "node:http";

const CLIENT = "kentai", SECRET = "a secret of the test";
const b64 = (data) => Buffer.from(data).toString("base64url");
const pair = (kid) => ({ kid, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) });

let be = {}, key = pair("first"), codes = new Map(), seen = { keys: 0, discovery: 0, tokens: 0 };
const other = pair("other");

/** An ID token, wrong in the way that `be` says. */
function token({ nonce }) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: CLIENT, sub: be.sub ?? "sato", iat: now, exp: now + 60, nonce };
  if (be.wrong === "nonce") claims.nonce = "another";
  if (be.wrong === "no nonce") delete claims.nonce;
  if (be.wrong === "issuer") claims.iss = "https://evil.example";
  if (be.wrong === "audience") claims.aud = "another";
  if (be.wrong === "audiences") claims.aud = [CLIENT, "another"];
  if (be.wrong === "party") claims.azp = "another";
  if (be.wrong === "expired") Object.assign(claims, { iat: now - 120, exp: now - 60 });
  if (be.wrong === "old") Object.assign(claims, { iat: now - 86400, exp: now + 60 });
  const signer = be.wrong === "signature" ? other : key;
  const alg = { "none": "none", "hs256": "HS256" }[be.wrong] ?? "RS256";
  const head = `${b64(JSON.stringify({ alg, kid: key.kid }))}.${b64(JSON.stringify(claims))}`;
  if (alg === "none") return `${head}.`;
  if (alg === "HS256") return `${head}.${b64(createHmac("sha256", SECRET).update(head).digest())}`;
  return `${head}.${b64(sign("sha256", Buffer.from(head), signer.privateKey))}`;
}

const routes = {
  "/be": (url) => {
    be = Object.fromEntries(url.searchParams);
    if (be.rotate) key = pair(be.rotate);
    return { text: "ok" };
  },
  "/seen": () => ({ json: seen }),
  "/.well-known/openid-configuration": () => {
    seen.discovery += 1;
    return { json: {
      issuer: be.discovery === "issuer" ? "https://evil.example" : issuer,
      authorization_endpoint: be.discovery === "plain" ? "http://evil.example/auth" : `${issuer}/auth`,
      token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`,
      response_types_supported: ["code"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"],
    } };
  },
  "/jwks": () => {
    seen.keys += 1;
    return { json: { keys: [{ ...key.publicKey.export({ format: "jwk" }), kid: key.kid, use: "sig", alg: "RS256" }] } };
  },
  "/auth": (url) => {
    const asked = Object.fromEntries(url.searchParams);
    seen.asked = asked;
    const code = randomBytes(16).toString("hex");
    codes.set(code, { nonce: asked.nonce, challenge: asked.code_challenge, back: asked.redirect_uri });
    const back = new URL(asked.redirect_uri);
    back.searchParams.set("code", code);
    back.searchParams.set("state", asked.state);
    if (be.iss) back.searchParams.set("iss", be.iss);
    return { to: back.href };
  },
  "/token": (_, body, headers) => {
    seen.tokens += 1;
    const given = Object.fromEntries(new URLSearchParams(body));
    const made = codes.get(given.code);
    codes.delete(given.code);
    const [id, secret] = Buffer.from((headers.authorization ?? "").slice(6), "base64").toString().split(":").map((part) => decodeURIComponent(part.replaceAll("+", " ")));
    const challenge = createHash("sha256").update(given.code_verifier ?? "").digest("base64url");
    if (!made || made.challenge !== challenge || made.back !== given.redirect_uri) return { status: 400, json: { error: "invalid_grant" } };
    if (id !== CLIENT || secret !== SECRET) return { status: 401, json: { error: "invalid_client" } };
    const answer = { access_token: "x", token_type: "Bearer", expires_in: 60 };
    return { json: be.wrong === "no token" ? answer : { ...answer, id_token: token(made) } };
  },
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  let body = "";
  for await (const chunk of request) body += chunk;
  // A path that is silent, endless or moved, as it was told to be.
  const odd = be.at === url.pathname && be.odd;
  if (odd === "silent") return;
  if (odd === "moved") { response.writeHead(307, { location: `${issuer}${url.pathname}/elsewhere` }).end(); return; }
  if (odd === "endless") {
    response.writeHead(200, { "content-type": "application/json" });
    const more = () => { while (response.writable && response.write(" ".repeat(65536))); };
    response.on("drain", more).on("error", () => {});
    return more();
  }
  const answer = routes[url.pathname]?.(url, body, request.headers) ?? { status: 404, text: "nothing here" };
  if (answer.to) return response.writeHead(303, { location: answer.to }).end();
  response.writeHead(answer.status ?? 200, { "content-type": answer.json ? "application/json" : "text/plain" });
  response.end(answer.json ? JSON.stringify(answer.json) : answer.text);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://localhost:${server.address().port}`;
console.log(JSON.stringify({ issuer }));
