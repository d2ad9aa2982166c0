// Player of a recording: a wave drawn from the sound itself, position by mouse or keys, three speeds.
(() => {
  const BARS = 110, SPEEDS = [1, 1.5, 2, 0.75];
  const clock = seconds => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  /** Loudness of each bar between 0 and 1; quiet recordings are drawn as large as loud ones. */
  const loudness = async source => {
    const answer = await fetch(source);
    if (!answer.ok) throw new Error(answer.status);
    const sound = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(await answer.arrayBuffer());
    const samples = sound.getChannelData(0), step = Math.max(1, Math.floor(samples.length / BARS));
    const bars = Array.from({ length: BARS }, (_, bar) => {
      let sum = 0;
      for (let at = bar * step; at < (bar + 1) * step && at < samples.length; at++) sum += samples[at] ** 2;
      return Math.sqrt(sum / step);
    });
    const top = Math.max(...bars, 0.001);
    return bars.map(bar => bar / top);
  };

  const path = (bars, from, to) => bars.slice(from, to).map((bar, at) => {
    const half = 1.2 + bar * 17;
    return `M${(from + at) * 4 + 2} ${(22 - half).toFixed(1)}V${(22 + half).toFixed(1)}`;
  }).join("");

  class Player {
    constructor(box) {
      this.box = box;
      this.audio = new Audio();
      this.audio.preload = "none";
      this.seconds = Number(box.dataset.seconds) || 0;
      this.bars = Array(BARS).fill(0.05);
      [this.button, this.wave] = [box.querySelector(".play"), box.querySelector(".wave")];
      this.what = this.button.getAttribute("aria-label").replace(/^Play /, "");
      this.button.addEventListener("click", () => this.toggle());
      this.wave.addEventListener("click", event => this.seek(event.offsetX / this.wave.clientWidth * this.seconds));
      this.wave.addEventListener("keydown", event => this.key(event));
      box.querySelector(".speed")?.addEventListener("click", event => this.speed(event.currentTarget));
      for (const name of ["timeupdate", "play", "pause", "ended"]) this.audio.addEventListener(name, () => this.draw());
      this.audio.addEventListener("loadedmetadata", () => { if (Number.isFinite(this.audio.duration)) this.seconds = this.audio.duration; this.draw(); });
      this.audio.addEventListener("error", () => { if (this.audio.src) cms.toast("The recording cannot be played. It may have been deleted.", "incident"); });
      loudness(box.dataset.player).then(bars => { this.bars = bars; this.draw(); }).catch(() => this.draw());
      this.draw();
    }

    load() { if (!this.audio.src) this.audio.src = this.box.dataset.player; }
    toggle() { this.load(); if (this.audio.paused) this.audio.play(); else this.audio.pause(); }
    seek(to) { this.load(); this.audio.currentTime = Math.min(Math.max(to, 0), this.seconds); this.draw(); }
    key(event) {
      const step = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5 }[event.key];
      const to = step ? this.audio.currentTime + step : { Home: 0, End: this.seconds }[event.key];
      if (to === undefined) { if (event.key === " ") { event.preventDefault(); this.toggle(); } return; }
      event.preventDefault();
      this.seek(to);
    }

    speed(button) {
      this.audio.playbackRate = SPEEDS[(SPEEDS.indexOf(this.audio.playbackRate) + 1) % SPEEDS.length];
      button.textContent = `${this.audio.playbackRate}×`;
      button.setAttribute("aria-label", `Speed: ${this.audio.playbackRate} times`);
    }

    draw() {
      const at = this.audio.currentTime || 0, split = this.seconds ? Math.round(at / this.seconds * BARS) : 0;
      this.wave.querySelector(".on").setAttribute("d", path(this.bars, 0, split));
      this.wave.querySelector(".off").setAttribute("d", path(this.bars, split, BARS));
      this.wave.setAttribute("aria-valuenow", Math.round(at));
      this.wave.setAttribute("aria-valuetext", `${Math.round(at)} of ${Math.round(this.seconds)} seconds`);
      this.box.querySelector(".at").textContent = clock(at);
      this.button.setAttribute("aria-label", `${this.audio.paused ? "Play" : "Pause"} ${this.what}`);
      this.button.firstElementChild.className = `ti ti-player-${this.audio.paused ? "play" : "pause"}`;
    }
  }

  const start = () => document.querySelectorAll("[data-player]:not([data-ready])").forEach(box => { box.dataset.ready = ""; new Player(box); });
  addEventListener("htmx:afterSwap", start);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start); else start();
})();
