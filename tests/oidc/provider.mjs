// An OpenID provider for the tests: node-oidc-provider with the pages that it
// brings for development. Whoever gives a name is that person.
//
// node provider.mjs MODULES ISSUER REDIRECT CLIENT SECRET
import { pathToFileURL } from "node:url";

const [modules, issuer, redirect, client, secret] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));

const people = {
  ada: { email: "ada@example.com", email_verified: true, groups: ["admins"] },
  bob: { email: "bob@example.com", email_verified: true, groups: ["developers"] },
  // She says that she is Ada, and nobody has looked.
  mallory: { email: "ada@example.com", email_verified: false, groups: [] },
};

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: client,
      client_secret: secret,
      redirect_uris: [redirect],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
  cookies: { keys: ["for the tests"] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, name: id, ...people[id] }),
  }),
});

const { hostname, port } = new URL(issuer);
provider.listen(Number(port), hostname, () => console.log("ready"));
