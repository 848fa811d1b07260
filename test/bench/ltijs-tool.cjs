/* A tool made with ltijs and its SQL store, as its documentation has it: for the bench `launch`, in a folder where both are installed. */
const { createRequire } = require('node:module');
const [, , folder, databaseUrl, port, issuer, keyPem] = process.argv;
const from = createRequire(`${folder}/package.json`);
const lti = from('ltijs').Provider;
const Database = from('ltijs-sequelize');
// Of a database on a socket, as pg writes it: no host, and the socket's folder behind it.
const url = new URL(databaseUrl.replace('@/', '@localhost/'));
const store = new Database(url.pathname.slice(1), url.username, decodeURIComponent(url.password), {
  host: url.searchParams.get('host') ?? url.hostname,
  port: Number(url.port || 5432),
  dialect: 'postgres',
  logging: false,
  pool: { max: 20 },
});
(async () => {
  lti.setup(
    'a key of the bench',
    { plugin: store },
    {
      appRoute: '/app',
      loginRoute: '/login',
      cookies: { secure: false, sameSite: '' },
      devMode: false,
      tokenMaxAge: 60,
    },
  );
  lti.onConnect((token, _req, res) => res.send(`session of ${token.user}`));
  await lti.deploy({ port: Number(port), silent: true });
  await lti.registerPlatform({
    url: issuer,
    name: 'bench',
    clientId: 'bench',
    authenticationEndpoint: `${issuer}/auth`,
    accesstokenEndpoint: `${issuer}/token`,
    // The key itself: it need not ask for it.
    authConfig: { method: 'RSA_KEY', key: Buffer.from(keyPem, 'base64').toString() },
  });
  process.stdout.write('ready\n');
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
