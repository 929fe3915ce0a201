// What this browser keeps: who is signed in, a vote that is not acknowledged yet, and whether keys are on.
const memory = (() => {
  const own = new Map();
  const name = (key) => `atom-arena-${key}`;
  return {
    get(key) {
      try {
        return JSON.parse(localStorage.getItem(name(key)));
      } catch {
        return own.get(key) ?? null; // storage is switched off: it lasts as long as the page
      }
    },
    set(key, value) {
      own.set(key, value);
      try {
        if (value === null) localStorage.removeItem(name(key));
        else localStorage.setItem(name(key), JSON.stringify(value));
      } catch {
        /* as above */
      }
    },
  };
})();

// `crypto.randomUUID` is there on secure pages alone, and an arena in a local network is none.
function drawToken() {
  return Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

const LATER = ["wait", "store"]; // kinds of errors that pass

// Calls the server until there is an answer; what is sent again is the same, token and all.
async function ask(name, call, waiting) {
  for (let tries = 0; ; tries++) {
    const reply = await Promise.resolve(server[name](call)).catch(() => undefined);
    if (reply && (!LATER.includes(reply.kind) || name === "arena_sign_in")) return reply;
    const pause = Math.min(30, reply?.after ?? 2 ** tries);
    waiting(reply?.error ?? "No answer from the server; what you said is kept in this browser and sent again.", pause);
    await sleep(Math.max(pause, 0.5));
  }
}
