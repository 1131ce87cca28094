"use strict";
// Keeps the page true: asks the server for it anew and changes only what differs, so that focus,
// opened details and a reader's place stay where they are. The server's words are the only ones.
(() => {
  const EVERY = 4000;
  const SLOWEST = 60000;
  const find = (id) => document.getElementById(id);
  const live = find("live");
  const updates = find("updates");
  const pause = find("pause");
  const words = JSON.parse(updates.dataset.words);
  const offline = find("offline");
  let timer = 0;
  let failures = 0;
  let paused = false;
  let asking = null;

  // The address bar is copied into e-mails: a token in it has done its work by now.
  const address = new URL(location.href);
  if (address.searchParams.has("token")) {
    address.searchParams.delete("token");
    history.replaceState(null, "", address);
  }

  function same(a, b) {
    return a.nodeType === b.nodeType && a.nodeName === b.nodeName &&
      (a.nodeType !== Node.ELEMENT_NODE || a.dataset?.vceService === b.dataset?.vceService);
  }

  function update(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) {
        old.removeAttribute(name);
      }
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const before = [...old.childNodes];
    const after = [...fresh.childNodes];
    after.forEach((child, at) => {
      if (at >= before.length) old.append(document.importNode(child, true));
      else if (same(before[at], child)) update(before[at], child);
      else before[at].replaceWith(document.importNode(child, true));
    });
    before.slice(after.length).forEach((child) => child.remove());
  }

  function announce(fresh) {
    const told = fresh.dataset.announcement;
    if (told === live.dataset.announcement) return;
    const failed = fresh.dataset.state === "failed";
    find("urgent").textContent = failed ? told : "";
    find("polite").textContent = failed ? "" : told;
  }

  function lost(why) {
    failures += 1;
    offline.textContent = why;
    offline.hidden = false;
    live.classList.add("stale");
  }

  async function ask() {
    asking = new AbortController();
    const limit = setTimeout(() => asking.abort(), 15000);
    try {
      // A JupyterHub wants its token even from those who only look.
      const known = document.cookie.match(/\b_xsrf=([^;]*)\b/);
      const headers = { Accept: "text/html", ...(known && { "X-XSRFToken": known[1] }) };
      const answer = await fetch(address, { headers, cache: "no-store", signal: asking.signal });
      if (answer.redirected || answer.status === 403) {
        lost(words.loggedOut);
        return;
      }
      if (!answer.ok) throw new Error(answer.statusText);
      // Its style has a nonce of its own, which the policy of this page would complain of each time.
      const text = (await answer.text()).replace(/<style[^]*?<\/style>/g, "");
      const page = new DOMParser().parseFromString(text, "text/html");
      const fresh = page.getElementById("live");
      if (!fresh) throw new Error("not the status page");
      announce(fresh);
      update(live, fresh);
      document.title = page.title;
      failures = 0;
      offline.hidden = true;
    } catch {
      if (!paused && !document.hidden) {
        lost(words.lost);
      }
    } finally {
      clearTimeout(limit);
      asking = null;
      plan();
    }
  }

  function plan() {
    clearTimeout(timer);
    if (paused || document.hidden || asking) return;
    timer = setTimeout(ask, Math.min(EVERY * 2 ** failures, SLOWEST));
  }

  function show() {
    updates.textContent = paused ? words.paused : words.updating;
    pause.textContent = paused ? words.resume : words.pause;
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    show();
    if (paused) plan();
    else if (!asking) ask();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || paused) plan();
    else if (!asking) ask();
  });
  show();
  plan();
})();
