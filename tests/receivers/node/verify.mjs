// Receives webhooks on a port, 0 for any, and says what came:  WEBHOOK_SECRET=whsec_… node verify.mjs 8080

import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

const server = createServer(async (request, response) => {
  try {
    // Verify the bytes that came. JSON that was parsed and written again is not what was signed.
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);

    // Refuses what is not signed with the secret, and what is older than five minutes.
    const { event, eventId } = webhook.verify(body, request.headers);

    // A delivery may come twice: remember the eventId.
    // Answer first and work later: after 30 seconds it counts as failed.
    console.log(JSON.stringify({ ok: true, event, eventId }));
    response.writeHead(204).end();
  } catch (error) {
    console.log(JSON.stringify({ ok: false, error: error.message }));
    response.writeHead(401).end();
  }
});

server.listen(Number(process.argv[2] ?? 8080), () => console.log(`listening ${server.address().port}`));
