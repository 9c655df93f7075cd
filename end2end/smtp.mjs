// A real SMTP server for tests: keeps what it accepts and hands it out over HTTP on the loopback. Ports are the system's choice
// and printed. How it behaves is up to the recipient's local part:
//   refuse…     550 at RCPT
//   later…      451 at RCPT the first time, accepted afterwards
//   slow…       2 s before the answer to the text
//   drop…       takes and keeps the text, and breaks the connection instead of answering the first time
//   dropearly…  breaks the connection at RCPT
//
//   GET /messages[?to=address]   those accepted so far, the oldest first
//   DELETE /messages             forgets them
//   GET /count                   how many there are
// With SMTP_USER and SMTP_PASSWORD it wants them; with SMTP_KEY and SMTP_CERT (files) it offers STARTTLS.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

const { SMTP_USER, SMTP_PASSWORD, SMTP_KEY, SMTP_CERT } = process.env;
let messages = [];
const seen = new Set();

/** Whether it is the first time that this is asked. */
function first(key) {
  const is = !seen.has(key);
  seen.add(key);
  return is;
}

function behaviour(address) {
  const local = address.split("@")[0].toLowerCase();
  return ["refuse", "later", "slow", "dropearly", "drop"].find((name) => local.startsWith(name)) ?? "accept";
}

function answer(code, text) {
  return Object.assign(new Error(text), { responseCode: code });
}

/** Breaks the connection of a session, as a pulled cable would. */
function cut(session) {
  for (const connection of smtp.connections) {
    if (connection.session === session) {
      connection._socket.destroy();
    }
  }
}

async function keep(raw, session) {
  const mail = await simpleParser(raw);
  messages.push({
    from: session.envelope.mailFrom ? session.envelope.mailFrom.address : "",
    to: session.envelope.rcptTo.map((to) => to.address),
    secure: session.secure,
    user: session.user || null,
    subject: mail.subject ?? "",
    id: mail.messageId ?? "",
    text: mail.text ?? "",
    html: mail.html || "",
    // Each header as it came, folded lines and all.
    headers: mail.headerLines.map(({ key, line }) => ({ key, line })),
    attachments: mail.attachments.map((part) => ({
      name: part.filename ?? "",
      type: part.contentType,
      text: part.content.toString("utf8"),
    })),
    raw: raw.toString("utf8"),
  });
}

const smtp = new SMTPServer({
  banner: "Lessonbook test",
  logger: false,
  disableReverseLookup: true,
  authOptional: !SMTP_USER,
  allowInsecureAuth: true,
  ...(SMTP_KEY ? { key: readFileSync(SMTP_KEY), cert: readFileSync(SMTP_CERT) } : {}),
  disabledCommands: [...(SMTP_KEY ? [] : ["STARTTLS"]), ...(SMTP_USER ? [] : ["AUTH"])],
  onAuth(auth, _session, done) {
    const right = auth.username === SMTP_USER && auth.password === SMTP_PASSWORD;
    done(right ? null : answer(535, "Authentication failed"), right ? { user: auth.username } : undefined);
  },
  onRcptTo({ address }, session, done) {
    switch (behaviour(address)) {
      case "refuse":
        return done(answer(550, "No such mailbox here"));
      case "later":
        return first(`later ${address}`) ? done(answer(451, "Greylisted, try again later")) : done();
      case "dropearly":
        return cut(session);
      default:
        return done();
    }
  },
  onData(stream, session, done) {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("end", async () => {
      const address = session.envelope.rcptTo[0].address;
      const how = behaviour(address);
      await keep(Buffer.concat(parts), session);
      if (how === "drop" && first(`drop ${address}`)) {
        cut(session);
      } else if (how === "slow") {
        setTimeout(done, 2000);
      } else {
        done();
      }
    });
  },
});
// A client that goes away is part of the tests.
smtp.on("error", () => {});

const http = createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  const json = (value) =>
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  if (url.pathname === "/count") {
    json(messages.length);
  } else if (url.pathname !== "/messages") {
    response.writeHead(404).end();
  } else if (request.method === "DELETE") {
    messages = [];
    response.writeHead(204).end();
  } else {
    const to = url.searchParams.get("to");
    const found = to ? messages.filter((message) => message.to.includes(to)) : messages;
    json(found);
  }
});

function say(name, server) {
  const { port } = server.address();
  console.log(`${name} on 127.0.0.1:${port}`);
}

const smtpServer = smtp.listen(0, "127.0.0.1", () => {
  say("smtp", smtpServer);
  http.listen(0, "127.0.0.1", () => say("http", http));
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => process.exit(0));
}
// Ends with whoever started it, even when that one was killed: its end of the pipe closes.
if (process.env.SMTP_UNTIL_EOF) {
  process.stdin.on("end", () => process.exit(0)).resume();
}
