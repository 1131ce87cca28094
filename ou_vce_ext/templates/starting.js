"use strict";
// Starts the service, tells how far it is, and opens the app once it answers. All that the server
// says is put in as text, never as HTML.
(() => {
  // The page that shows the app's screen can wait for it, and should be there when it comes.
  const AT_ONCE = 25;
  const SOON = 300;
  const LATER = 1000;
  const SLOWEST = 10000;
  const find = (id) => document.getElementById(id);
  const facts = JSON.parse(find("facts").textContent);
  const words = facts.words;
  const button = find("start");
  let began = Date.now();
  const tries = `vce-tries:${location.pathname}`;
  let waiting = false;
  let operation = null;
  let failures = 0;
  let timer = 0;

  // The address bar is copied into e-mails: a token in it has done its work by now.
  const address = new URL(location.href);
  if (address.searchParams.has("token")) {
    address.searchParams.delete("token");
    history.replaceState(null, "", address);
  }

  function say(id, text) {
    // Said again only when it changes, or a screen reader would repeat it with every look.
    if (find(id).textContent !== text) find(id).textContent = text;
  }

  function show(state, message) {
    document.querySelector("main").dataset.vceState = state;
    const heading = { backoff: "starting", ready: "starting", unresponsive: "starting" }[state] || state;
    say("heading", facts.refused && heading === "starting" ? words.silent : words[heading]);
    say("message", message);
    find("work").hidden = !waiting;
  }

  function offer(label) {
    button.textContent = label;
    button.hidden = false;
  }

  function tick() {
    const seconds = Math.round((Date.now() - began) / 1000);
    find("elapsed").textContent = words.elapsed.replace("{}", String(seconds));
  }

  function progress(value) {
    if (typeof value === "number") find("bar").value = value;
    else find("bar").removeAttribute("value");
  }

  function problem(error) {
    find("problem").hidden = !error;
    find("log").hidden = !(error && error.log_tail && error.log_tail.length);
    if (!error) return;
    say("reason", error.message || words.notStarted);
    say("hint", error.hint || "");
    say("lines", (error.log_tail || []).join("\n"));
  }

  async function ask(path, method = "GET") {
    const answer = await fetch(facts.api + path, {
      method,
      cache: "no-store",
      credentials: "same-origin",
      headers: { Accept: "application/json", "X-XSRFToken": facts.xsrf },
    });
    const body = await answer.json().catch(() => ({}));
    return { status: answer.status, ok: answer.ok, body };
  }

  function open() {
    let count = 0;
    try {
      count = Number(sessionStorage.getItem(tries)) || 0;
      sessionStorage.setItem(tries, String(count + 1));
    } catch { /* no storage in this frame: no slowing down either */ }
    waiting = true;
    progress(1);
    show("ready", facts.refused ? words.again : words.ready);
    // An app that was said to be ready and did not answer is asked again, ever less often.
    setTimeout(() => location.reload(), facts.refused ? Math.min(1000 * 2 ** count, 30000) : 0);
  }

  function stopWaiting(state, error, label) {
    waiting = false;
    show(state, label === words.start ? words.press : "");
    problem(error);
    if (label) offer(label);
  }

  function settle(service) {
    switch (service.state) {
      case "ready":
      case "unresponsive":
        open();
        return false;
      case "stopped":
        stopWaiting("stopped", service.error, words.start);
        return false;
      case "failed":
        stopWaiting("failed", service.error, words.retry);
        return false;
      case "unavailable":
        stopWaiting("unavailable", service.error, words.retry);
        return false;
      default:
        return true;
    }
  }

  async function look() {
    let next = Date.now() - began < 10000 ? SOON : LATER;
    try {
      const service = await ask(`services/${facts.service}`);
      if (service.status === 403) {
        waiting = false;
        show(facts.state, words.loggedOut);
        return;
      }
      if (!service.ok) throw new Error(String(service.status));
      const running = service.body.operation || operation;
      let work = null;
      if (running) {
        const told = await ask(`operations/${encodeURIComponent(running)}`);
        if (told.ok && (told.body.kind === "start" || told.body.kind === "restart")) work = told.body;
      }
      failures = 0;
      const ongoing = work && work.state === "running";
      if (facts.hasViewer && service.body.state === "starting") {
        location.reload();
        return;
      }
      if (facts.hasViewer && Date.now() - began < 1000) next = AT_ONCE;
      if (ongoing) progress(work.progress);
      if (!ongoing || service.body.state === "ready") {
        const ended = work && work.error && service.body.state === "stopped";
        if (!settle(ended ? { ...service.body, error: work.error } : service.body)) return;
      }
      show(ongoing ? "starting" : service.body.state, (ongoing && work.message) || words.wait);
      problem(null);
    } catch {
      failures += 1;
      say("message", words.lost);
      next = Math.min(LATER * 2 ** failures, SLOWEST);
    }
    plan(next);
  }

  function plan(after) {
    clearTimeout(timer);
    timer = setTimeout(look, after);
  }

  function wait() {
    began = Date.now();
    tick();
    waiting = true;
    button.hidden = true;
    problem(null);
    progress(null);
    show("starting", words.wait);
  }

  async function start() {
    // The button goes, and whoever pressed it must not be left nowhere.
    if (document.activeElement === button) find("heading").focus();
    wait();
    try {
      const answer = await ask(`services/${facts.service}/start`, "POST");
      if (!answer.ok) {
        stopWaiting(facts.state, answer.body, words.retry);
        return;
      }
      operation = answer.body.id;
      plan(0);
    } catch {
      say("message", words.lost);
      failures += 1;
      timer = setTimeout(start, Math.min(LATER * 2 ** failures, SLOWEST));
    }
  }

  button.addEventListener("click", start);
  setInterval(tick, 1000);
  if (!facts.refused) {
    try { sessionStorage.removeItem(tries); } catch { /* as above */ }
  }
  if (facts.refused) {
    open();
  } else if (facts.state === "stopped" && facts.mayStart) {
    start();
  } else if (facts.state === "stopped") {
    show("stopped", words.press);
    offer(words.start);
  } else if (facts.state === "failed" || facts.state === "unavailable") {
    offer(words.retry);
  } else {
    wait();
    plan(0);
  }
})();
