// What a page gains with a script: it follows a deployment, and lists can be
// dragged. Everything else, and everything here in another way, works without.
"use strict";

(() => {
  const LINES = 5000;

  // The deployment's page: lines are added as they come; of a change the page
  // asks the engine what it looks like now.
  function follow(live) {
    const log = document.getElementById("log");
    const said = document.getElementById("said");
    const source = new EventSource(live.dataset.live);
    source.addEventListener("line", (event) => add(log, JSON.parse(event.data)));
    source.addEventListener("change", () => refresh());
    source.addEventListener("error", () => refresh());
    log.scrollTop = log.scrollHeight;

    let asking = false;
    let again = false;
    async function refresh() {
      if (asking) {
        again = true;
        return;
      }
      asking = true;
      do {
        again = false;
        try {
          await look();
        } catch {
          // The engine is away; the stream comes back and asks anew.
        }
      } while (again);
      asking = false;
    }

    async function look() {
      const answer = await fetch(live.dataset.now, { headers: { accept: "*/*" } });
      if (answer.status === 401) {
        source.close();
        say(said, "You are signed out. Load the page again.");
        return;
      }
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of [...fresh.querySelectorAll("[data-part]")]) put(fresh, part.id);
      say(said, document.getElementById("facts").dataset.said);
    }
  }

  // The text of a live region is read out when it changes, so it must change
  // only when there is something to say.
  function say(region, text) {
    if (region.textContent !== text) region.textContent = text;
  }

  function put(fresh, id) {
    const old = document.getElementById(id);
    const next = fresh.getElementById(id);
    if (!old || !next || old.innerHTML === next.innerHTML) return;
    for (const open of old.querySelectorAll("details[open]")) {
      const same = open.id && fresh.getElementById(open.id);
      if (same) same.open = true;
    }
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.replaceWith(document.adoptNode(next));
    if (focused) document.getElementById(focused)?.focus();
  }

  function add(log, line) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const row = document.createElement("div");
    row.textContent = line.text;
    row.className = line.text.startsWith("===== ") ? "heading" : line.stream;
    log.append(row);
    while (log.childElementCount > LINES) log.firstElementChild.remove();
    document.getElementById("no-log")?.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  // Release commands: dropping one sends the form that its buttons send.
  function sortable(list) {
    let dragged = null;
    for (const item of list.children) {
      item.draggable = true;
      item.addEventListener("dragstart", (event) => {
        dragged = item;
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", item.dataset.place);
        item.classList.add("dragged");
      });
      item.addEventListener("dragend", () => {
        dragged = null;
        item.classList.remove("dragged");
        mark(list, null);
      });
      item.addEventListener("dragover", (event) => {
        if (!dragged) return;
        event.preventDefault();
        mark(list, item);
      });
      item.addEventListener("drop", (event) => {
        event.preventDefault();
        if (dragged && dragged !== item) move(dragged, item.dataset.place);
      });
    }
  }

  function mark(list, over) {
    for (const item of list.children) item.classList.toggle("over", item === over);
  }

  function move(item, place) {
    const form = item.querySelector("form.move");
    const position = document.createElement("input");
    position.type = "hidden";
    position.name = "position";
    position.value = place;
    form.append(position);
    form.submit();
  }

  const live = document.querySelector("[data-live]");
  if (live) follow(live);
  else {
    const log = document.getElementById("log");
    if (log) log.scrollTop = log.scrollHeight;
  }
  for (const list of document.querySelectorAll("[data-sortable]")) sortable(list);
})();
