// Shows the progress of running campaigns: takes the page again and puts its main part in place.
"use strict";
const again = async () => {
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main");
      if (fresh && fresh.innerHTML !== main.innerHTML) main.replaceWith(document.adoptNode(fresh));
    }
  } catch {
    // The server is away; it may come back.
  }
  setTimeout(again, 1500);
};
setTimeout(again, 1500);
