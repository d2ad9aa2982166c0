// The browser phone as people see it: state in a dot and a word, dial pad, the call and its verbs.
(() => {
  const LOOK = {
    connecting: ["waiting", "Connecting…"],
    ready: ["completed", "Ready"],
    trouble: ["incident", "Not connected"],
    calling: ["running", "Calling…"],
    ringing: ["running", "Incoming call"],
    talking: ["running", "In a call"],
    holding: ["waiting", "On hold"],
  };
  const CHIP = { calling: ["running", "phone-outgoing", "Calling"], ringing: ["running", "phone-incoming", "Rings"], talking: ["running", "wave-sine", "Connected"], holding: ["waiting", "player-pause", "On hold"] };
  const HUES = ["#be185d", "#1d4ed8", "#15803d", "#b45309", "#6d28d9", "#0f766e"];

  addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("phone");
    const at = name => box.querySelector(`[data-${name}]`);
    const all = name => box.querySelectorAll(`[data-${name}]`);
    const line = new cms.PhoneLine(box.dataset.account, document.getElementById("phone-audio"));
    const field = box.querySelector("input[name=number]");
    const keys = document.getElementById("phone-keys");
    const quality = document.getElementById("phone-quality");
    const inCall = () => line.state === "talking" || line.state === "holding";
    let since = 0;

    const write = (name, text) => { at(name).textContent = text; };
    const pressed = (verb, on) => box.querySelector(`[data-do=${verb}]`).setAttribute("aria-pressed", String(on));
    const isPressed = verb => box.querySelector(`[data-do=${verb}]`).getAttribute("aria-pressed") === "true";

    const initials = text => text.split(/\s+/).filter(word => /\p{L}/u.test(word)).slice(0, 2).map(word => word[0]).join("").toUpperCase();
    const showWho = ({ number = "", name = "" }) => {
      const known = document.querySelector(`[data-dial="${CSS.escape(number)}"][data-name]`)?.dataset.name;
      const title = known || (name && name !== number ? name : number || "Withheld");
      write("name", title);
      write("number", title === number ? "" : number);
      write("avatar", initials(title));
      if (!initials(title)) at("avatar").innerHTML = '<i class="ti ti-phone"></i>';
      at("avatar").style.setProperty("--hue", HUES[[...title].reduce((sum, sign) => sum + sign.codePointAt(0), 0) % HUES.length]);
    };

    const showTrouble = ({ title, text, steps }) => {
      write("trouble-title", title);
      write("trouble-text", text);
      at("trouble-steps").replaceChildren(...steps.map(step => Object.assign(document.createElement("li"), { textContent: step })));
    };

    const draw = detail => {
      const state = line.state;
      const [status, word] = LOOK[state];
      const before = box.dataset.state;
      box.dataset.state = state;
      at("dot").className = `dot ${status}`;
      write("word", word);
      at("spinner").hidden = state !== "connecting";
      all("when").forEach(part => { part.hidden = !part.dataset.when.split(" ").includes(state); });
      at("call").disabled = state !== "ready";
      document.querySelectorAll("[data-dial]").forEach(button => { button.style.visibility = state === "ready" ? "" : "hidden"; });
      if (state === "trouble") showTrouble(detail);
      if (detail.number !== undefined) showWho(detail);
      if (CHIP[state]) {
        const [look, icon, text] = CHIP[state];
        at("chip").className = `st ${look}`;
        at("chip").innerHTML = `<i class="ti ti-${icon}" aria-hidden="true"></i>${text}`;
      }
      if (state === "talking" && before !== "holding") { since = Date.now(); write("clock", "0:00"); }
      if (state === "calling" || state === "ringing") write("clock", "");
      if (!inCall()) { ["mute", "hold", "keypad", "quality"].forEach(verb => pressed(verb, false)); quality.hidden = true; write("sent", ""); }
      pressed("hold", state === "holding");
      keys.hidden = !(state === "ready" || state === "connecting" || (inCall() && isPressed("keypad")));
      ring(state === "ringing");
    };

    /** The bell of an incoming call: one second in four, until somebody decides. */
    let bell = null;
    const ring = on => {
      if (!on) { bell?.close(); bell = null; return; }
      if (bell) return;
      bell = new AudioContext();
      const [tone, volume] = [bell.createOscillator(), bell.createGain()];
      tone.frequency.value = 425;
      volume.gain.value = 0;
      for (let start = 0; start < 120; start += 4) { volume.gain.setValueAtTime(0.15, start); volume.gain.setValueAtTime(0, start + 1); }
      tone.connect(volume).connect(bell.destination);
      tone.start();
    };

    const press = key => {
      if (inCall()) line.press(key);
      else if (!field.closest("[hidden]")) { field.value += key; field.focus(); }
    };
    const dial = number => { const plain = number.replace(/[\s()/.-]/g, ""); if (plain) line.call(plain); };

    const verbs = {
      retry: () => line.start(),
      answer: () => line.answer(),
      hang: () => line.hangUp(),
      mute: () => { const on = !isPressed("mute"); line.mute(on); pressed("mute", on); },
      hold: () => line.hold(line.state !== "holding"),
      keypad: () => { const on = !isPressed("keypad"); pressed("keypad", on); keys.hidden = !on; },
      quality: () => { const on = !isPressed("quality"); pressed("quality", on); quality.hidden = !on; },
    };

    addEventListener("click", event => {
      const button = event.target.closest?.("[data-do], [data-key], [data-dial]");
      if (!button) return;
      if (button.dataset.do && box.contains(button)) verbs[button.dataset.do]();
      else if (button.dataset.key) press(button.dataset.key);
      else if (button.dataset.dial) { field.value = button.dataset.dial; dial(button.dataset.dial); }
    });
    document.getElementById("phone-form").addEventListener("submit", event => { event.preventDefault(); dial(field.value); });
    addEventListener("keydown", event => {
      const typing = event.target.closest?.("input, textarea, select, dialog");
      if (inCall() && !typing && !event.metaKey && !event.ctrlKey && /^[0-9*#]$/.test(event.key)) line.press(event.key);
    });

    line.addEventListener("state", event => draw(event.detail));
    line.addEventListener("failed", event => cms.toast(event.detail.text, "waiting"));
    line.addEventListener("sent", event => { at("sent").textContent = (at("sent").textContent + event.detail.key).slice(-24); });

    setInterval(async () => {
      if (!inCall()) return;
      const seconds = Math.floor((Date.now() - since) / 1000);
      write("clock", `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
      if (quality.hidden) return;
      const now = await line.statistics();
      if (!now) return;
      const shown = { received: `${now.received} packets`, sent: `${now.sent} packets`, lost: String(now.lost), delay: now.delay === null ? "–" : `${Math.round(now.delay * 1000)} ms`, codec: now.codec || "–" };
      for (const [name, text] of Object.entries(shown)) box.querySelector(`[data-quality=${name}]`).textContent = text;
    }, 500);

    addEventListener("pagehide", () => { line.hangUp(); line.stop(); });
    cms.phone = line;
    line.start();
  });
})();
