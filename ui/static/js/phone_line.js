// The line of the browser phone: an account borrowed from the platform, one call at a time, its sound and statistics.
// Draws nothing; phone.js listens to "state", "failed" and "sent".
(() => {
  const WHY = {
    403: "You may not call this number.",
    404: "Nobody answers this number.",
    408: "Nobody answered.",
    480: "Not reachable now.",
    486: "Busy.",
    487: "",
    503: "All lines are busy. Try again in a moment.",
    600: "Busy.",
    603: "Declined.",
  };
  const MICROPHONE = {
    title: "The microphone is blocked",
    text: "Your browser refuses it for this site, so calls would be silent.",
    steps: ["Open the lock icon beside the address", "Set Microphone to Allow", "Come back and try again"],
  };
  const INSECURE = {
    title: "This address is not secure",
    text: "Browsers give the microphone only to pages loaded by HTTPS, or from this machine itself.",
    steps: ["Open the platform by https:// or on localhost", "Then try again"],
  };

  class Line extends EventTarget {
    /** `account` is the address that lends an account, `audio` the element that plays the far end. */
    constructor(account, audio) {
      super();
      this.account = account;
      this.audio = audio;
      this.state = "connecting";
      this.session = null;
      this.renewed = 0;
    }

    /** Borrow an account and register. Also begins anew after trouble. */
    async start() {
      this.stop();
      this.#become("connecting");
      let lent;
      try {
        const answer = await fetch(this.account, { method: "POST", headers: { Accept: "application/json", "X-CSRFToken": cms.token() } });
        lent = await answer.json();
        if (!answer.ok) return this.#trouble({ title: "No account for this phone", text: lent.message || lent.detail || "The platform refused to lend one.", steps: [] });
      } catch {
        return this.#trouble({ title: "The platform does not answer", text: "Check the connection, then try again.", steps: [] });
      }
      const socket = new JsSIP.WebSocketInterface(`${lent.secure ? "wss" : "ws"}://${location.hostname}:${lent.port}/`);
      this.ua = new JsSIP.UA({
        sockets: [socket],
        uri: lent.uri,
        authorization_user: lent.username,
        password: lent.password,
        realm: lent.realm,
        display_name: lent.display_name,
        register_expires: 120,
        session_timers: false,
        connection_recovery_min_interval: 1,
        connection_recovery_max_interval: 10,
        user_agent: "CMS browser phone",
      });
      this.ua.on("registered", () => { this.renewed = 0; if (!this.session) this.#become("ready"); });
      this.ua.on("disconnected", () => { if (!this.session) this.#become("connecting"); });
      this.ua.on("registrationFailed", event => this.#refused(event));
      this.ua.on("newRTCSession", event => this.#met(event));
      this.ua.start();
      return null;
    }

    /** End everything, as when the page is left. */
    stop() {
      this.ua?.removeAllListeners();
      this.ua?.stop();
      this.ua = null;
    }

    /** Place a call. */
    async call(number) {
      if (this.state !== "ready") return;
      this.#become("calling", { number });
      const microphone = await this.#listen();
      if (!microphone || this.state !== "calling") return;
      this.ua.call(`sip:${encodeURIComponent(number).replace("%2B", "+")}@${this.ua.configuration.uri.host}`, this.#options(microphone));
    }

    /** Take the call that rings. */
    async answer() {
      if (this.state !== "ringing") return;
      const microphone = await this.#listen();
      if (microphone && this.session) this.session.answer(this.#options(microphone));
    }

    /** End or decline the call. */
    hangUp() {
      if (this.session && !this.session.isEnded()) this.session.terminate();
      else if (this.state === "calling") this.#become("ready");
    }

    /** Press a key; the far end gets it as RFC 4733 events in the media. */
    press(key) {
      if (!this.session?.isEstablished()) return;
      this.session.sendDTMF(key, { transportType: "RFC2833", duration: 120, interToneGap: 70 });
      this.#tell("sent", { key });
    }

    mute(quiet) { quiet ? this.session?.mute({ audio: true }) : this.session?.unmute({ audio: true }); }

    hold(held) { held ? this.session?.hold() : this.session?.unhold(); }

    /** What WebRTC says of the call: packets both ways, loss, delay, codec; null without a call. */
    async statistics() {
      const connection = this.session?.connection;
      if (!connection) return null;
      const found = { received: 0, sent: 0, lost: 0, delay: null, codec: "", level: 0, dtls: "" };
      const reports = await connection.getStats();
      reports.forEach(report => {
        if (report.type === "inbound-rtp") {
          Object.assign(found, { received: report.packetsReceived, lost: report.packetsLost, level: report.totalAudioEnergy });
          found.codec = (reports.get(report.codecId)?.mimeType || "").replace("audio/", "");
        }
        if (report.type === "outbound-rtp") found.sent = report.packetsSent;
        if (report.type === "remote-inbound-rtp") found.delay = report.roundTripTime;
        if (report.type === "transport") found.dtls = report.dtlsState;
      });
      return found;
    }

    #become(state, more = {}) {
      this.state = state;
      this.#tell("state", more);
    }

    #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }

    #trouble(what) {
      this.stop();
      this.#become("trouble", what);
    }

    /** A refused account is one that expired: another is borrowed, but not for ever. */
    #refused({ response, cause }) {
      if (response && this.renewed < 2 && !this.session) { this.renewed += 1; this.start(); return; }
      if (response) this.#trouble({ title: "The phone was refused", text: `The platform answered ${response.status_code} ${response.reason_phrase}.`, steps: [] });
      else if (!this.session) this.#become("connecting", { cause });
    }

    /** Open the microphone. Somebody without one still hears. */
    async #listen() {
      if (!navigator.mediaDevices) { this.hangUp(); this.#trouble(INSECURE); return null; }
      try {
        return await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
      } catch (error) {
        if (error.name === "NotFoundError") {
          cms.toast("No microphone was found: you will hear, but not be heard.", "waiting");
          return new AudioContext().createMediaStreamDestination().stream;
        }
        this.hangUp();
        this.#trouble(MICROPHONE);
        return null;
      }
    }

    #options(microphone) {
      this.microphone = microphone;
      return { mediaStream: microphone, mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [], rtcpMuxPolicy: "require" } };
    }

    #met({ session, originator }) {
      if (this.session) { session.terminate({ status_code: 486, reason_phrase: "Busy Here" }); return; }
      this.session = session;
      const who = { number: session.remote_identity.uri.user, name: session.remote_identity.display_name || "" };
      const hear = connection => connection.addEventListener("track", ({ streams, track }) => { this.audio.srcObject = streams[0] || new MediaStream([track]); });
      if (session.connection) hear(session.connection);
      else session.on("peerconnection", ({ peerconnection }) => hear(peerconnection));
      session.on("confirmed", () => this.#become("talking", who));
      session.on("hold", ({ originator: by }) => { if (by === "local") this.#become("holding"); });
      session.on("unhold", ({ originator: by }) => { if (by === "local") this.#become("talking"); });
      session.on("ended", () => this.#over());
      session.on("failed", ({ originator: by, message, cause }) => {
        const code = message?.status_code;
        this.#over();
        const words = by === "local" ? "" : code in WHY ? WHY[code] : code ? `The call failed: ${code} ${message.reason_phrase}.` : cause === "Canceled" ? "" : "The call failed.";
        if (words) this.#tell("failed", { text: words, number: who.number });
      });
      this.#become(originator === "remote" ? "ringing" : "calling", who);
    }

    #over() {
      this.session = null;
      this.microphone?.getTracks().forEach(track => track.stop());
      this.microphone = null;
      this.audio.srcObject = null;
      this.#become(this.ua?.isRegistered() ? "ready" : "connecting");
    }
  }

  cms.PhoneLine = Line;
})();
