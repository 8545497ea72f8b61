// The control that plays trips: play or pause, the time since departure to drag, how fast, and back to all points.
import { icon } from "./controls.js";
import { stopwatch } from "./player.js";

export class Bar {
  constructor(parent, player) {
    this.player = player;
    this.element = document.createElement("div");
    this.element.className = "htp-play";
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "Play the trips");
    this.start = this.button("Play", () => player.toggle());
    this.slider = Object.assign(document.createElement("input"), { type: "range", min: 0, step: 1 });
    this.slider.setAttribute("aria-label", "Time since departure");
    this.slider.addEventListener("input", () => player.go(Number(this.slider.value)));
    this.clock = document.createElement("output");
    this.pace = this.button("How fast: seconds of a trip a second", () => player.faster());
    this.all = this.button("Show all points again", () => player.reset());
    this.all.innerHTML = icon("points");
    this.element.append(this.start, this.slider, this.clock, this.pace, this.all);
    parent.append(this.element);
    player.bars.add(this);
    this.update();
  }

  button(label, action) {
    const button = Object.assign(document.createElement("button"), { type: "button", title: label });
    button.setAttribute("aria-label", label);
    button.addEventListener("click", action);
    return button;
  }

  update() {
    const { at, playing, seconds, pace } = this.player;
    this.element.hidden = !seconds;
    this.element.dataset.playing = playing; // for tests
    const label = playing ? "Pause" : "Play";
    if (this.start.title !== label) this.start.innerHTML = "";
    if (!this.start.innerHTML) this.start.innerHTML = icon(label.toLowerCase());
    this.start.title = label;
    this.start.setAttribute("aria-label", label);
    this.slider.max = Math.ceil(seconds);
    this.slider.value = at ?? 0;
    this.slider.setAttribute("aria-valuetext", `${stopwatch(at ?? 0)} since departure`);
    this.clock.textContent = `${stopwatch(at ?? 0)} of ${stopwatch(seconds)}`;
    this.pace.textContent = `${pace}×`;
    this.all.disabled = at === null;
  }

  remove() {
    this.player.bars.delete(this);
    this.element.remove();
  }
}
