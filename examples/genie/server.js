// Genie: a small climate model with a web page, as a module team might bring along.
// Plain Node, no packages. It listens on a fixed port (PORT in the environment, else 3000) after a
// start that takes GENIE_START_SECONDS, as a model that first reads its data would.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { simulate } = require("./model.js");

const port = Number(process.env.PORT || 3000);
const startSeconds = Number(process.env.GENIE_START_SECONDS || 0);
const page = fs.readFileSync(path.join(__dirname, "page.html"));
const largestBody = 10_000;

function reply(response, status, type, body) {
  response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" });
  response.end(body);
}

function replyJson(response, status, value) {
  reply(response, status, "application/json; charset=utf-8", JSON.stringify(value));
}

async function readJson(request) {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
    if (body.length > largestBody) {
      throw new RangeError("The request is too large.");
    }
  }
  return JSON.parse(body);
}

async function run(request, response) {
  try {
    replyJson(response, 200, { years: simulate(await readJson(request)) });
  } catch (error) {
    replyJson(response, 400, { message: error.message });
  }
}

// One year at a time, for a page that draws while the model runs.
async function stream(request, response) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  for (const year of simulate({ years: 20, co2: 560 })) {
    response.write(`data: ${JSON.stringify(year)}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  response.end("event: done\ndata: {}\n\n");
}

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const route = `${request.method} ${pathname}`;
  if (route === "GET /") {
    reply(response, 200, "text/html; charset=utf-8", page);
  } else if (route === "GET /api/scenarios") {
    replyJson(response, 200, { scenarios: [280, 420, 560, 1120] });
  } else if (route === "POST /api/run") {
    run(request, response);
  } else if (route === "GET /api/stream") {
    stream(request, response);
  } else {
    replyJson(response, 404, { message: "There is no such page." });
  }
});

process.on("SIGTERM", () => {
  console.log("Genie: ending");
  server.close(() => process.exit(0));
  server.closeAllConnections();
});

console.log(`Genie: reading its data, which takes ${startSeconds} s`);
setTimeout(() => {
  server.listen(port, "127.0.0.1", () => console.log(`Genie: ready on port ${port}`));
}, startSeconds * 1000);
