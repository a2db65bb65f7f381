"use strict";
(function () {
  const seconds = Number(document.body.dataset.seconds);
  const at = document.getElementById("at");
  const play = document.getElementById("play");
  const clock = document.getElementById("clock");
  const trouble = document.getElementById("trouble");
  const heads = document.querySelectorAll(".head");
  const sounds = Array.from(document.querySelectorAll(".sounds li"), (row) => ({
    start: Number(row.dataset.start),
    gain: Number(row.dataset.gain),
    alone: Number(row.dataset.alone),
    box: row.querySelector("input"),
    button: row.querySelector("button"),
    uri: row.querySelector("audio").src,
    name: row.querySelector("label").textContent.trim(),
  }));

  let context = null; // opened on the first click: browsers allow no sound before one
  let running = null; // { began, from, sources } while something plays
  let alone = null; // the sound that is played by itself
  let position = 0;

  document.documentElement.classList.add("js");

  // A page opened from disk may not fetch even its own data addresses, so they are decoded by hand.
  function bytes(uri) {
    const text = atob(uri.slice(uri.indexOf(",") + 1));
    return Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer;
  }

  async function open() {
    if (context === null) {
      const Context = window.AudioContext || window.webkitAudioContext;
      context = new Context();
    }
    await context.resume();
    await Promise.all(sounds.map(async (sound) => {
      if (!sound.buffer) sound.buffer = await context.decodeAudioData(bytes(sound.uri));
    }));
  }

  function level(sound) {
    if (alone !== null) return sound === alone ? sound.alone : 0;
    return sound.box.checked ? sound.gain : 0;
  }

  function show() {
    const share = (100 * position) / seconds + "%";
    heads.forEach((head) => { head.style.left = share; });
    at.value = String(position);
    clock.textContent = position.toFixed(1) + " / " + seconds.toFixed(1) + " s";
    const word = running ? "Pause" : "Play";
    if (play.textContent !== word) { play.textContent = word; play.setAttribute("aria-label", word); }
    sounds.forEach((sound) => {
      const on = running !== null && alone === sound;
      const text = on ? "Stop" : "Play alone";
      if (sound.button.textContent !== text) {
        sound.button.textContent = text;
        sound.button.setAttribute("aria-label", text + ": " + sound.name);
      }
    });
  }

  function stop() {
    if (running === null) return;
    running.sources.forEach(({ source }) => { source.stop(); source.disconnect(); });
    running = null;
    show();
  }

  function start() {
    const now = context.currentTime + 0.03;
    const sources = sounds.map((sound) => {
      const source = context.createBufferSource();
      const gain = context.createGain();
      source.buffer = sound.buffer;
      gain.gain.value = level(sound);
      source.connect(gain).connect(context.destination);
      const into = position - sound.start;
      if (into < sound.buffer.duration) source.start(now + Math.max(0, -into), Math.max(0, into));
      else source.start(now, sound.buffer.duration);
      return { source, gain, sound };
    });
    running = { began: now, from: position, sources };
    show();
    requestAnimationFrame(step);
  }

  function step() {
    if (running === null) return;
    position = Math.max(running.from, running.from + context.currentTime - running.began);
    const end = alone === null ? seconds : Math.min(seconds, alone.start + alone.buffer.duration);
    if (position >= end) {
      position = alone === null ? 0 : alone.start;
      stop();
      return;
    }
    show();
    requestAnimationFrame(step);
  }

  function seek(to) {
    const was = running !== null;
    stop();
    position = Math.min(Math.max(0, to), seconds);
    if (was) start(); else show();
  }

  async function begin() {
    try {
      await open();
      start();
    } catch (error) {
      trouble.textContent = "This browser cannot play these sounds: " + error;
    }
  }

  play.addEventListener("click", () => {
    if (running !== null) { stop(); return; }
    alone = null;
    begin();
  });
  at.addEventListener("input", () => seek(Number(at.value)));
  sounds.forEach((sound) => {
    sound.button.addEventListener("click", () => {
      const mine = running !== null && alone === sound;
      stop();
      if (mine) return;
      alone = sound;
      position = sound.start;
      begin();
    });
    sound.box.addEventListener("change", () => {
      if (running === null) return;
      alone = null;
      running.sources.forEach(({ gain, sound: own }) => { gain.gain.setTargetAtTime(level(own), context.currentTime, 0.01); });
      show();
    });
  });
  document.querySelectorAll("[data-seek]").forEach((button) => {
    button.addEventListener("click", () => seek(Number(button.dataset.seek)));
  });
  document.querySelectorAll(".plot").forEach((plot) => {
    const to = (event) => {
      const box = plot.getBoundingClientRect();
      seek((seconds * (event.clientX - box.left)) / box.width);
    };
    plot.addEventListener("pointerdown", (event) => { plot.setPointerCapture(event.pointerId); to(event); });
    plot.addEventListener("pointermove", (event) => { if (event.buttons) to(event); });
  });
  document.addEventListener("keydown", (event) => {
    // Space plays, unless a control is meant.
    if (event.key === " " && !event.target.closest("button, input, summary, a, audio")) { event.preventDefault(); play.click(); }
  });
  show();
})();
