// Play trips in time: one clock a group of maps, so that departures beside each other start together and keep in step.

const LONGEST_STEP_S = 0.25; // of a person's time from one picture to the next; a hidden tab goes on where it stopped
export const PACES = [30, 60, 120]; // seconds of a trip a second
const players = new Map(); // group -> Player

/** Return the player of a group of maps. */
export function playerOf(group) {
  if (!players.has(group)) players.set(group, new Player());
  return players.get(group);
}

class Player {
  constructor() {
    this.screens = new Set(); // what shows the time: {seconds, show(at)}, `seconds` of its longest trip
    this.bars = new Set(); // what is told of every change: {update()}
    this.pace = PACES[1];
    this.reset();
  }

  /** Seconds since departure that the longest trip takes. */
  get seconds() {
    return Math.max(0, ...[...this.screens].map((screen) => screen.seconds));
  }

  /** Show all of every trip, as before playing. */
  reset() {
    this.at = null; // seconds since departure
    this.playing = false;
    this.tell();
  }

  /** Play on from where it stands, from the start where it stands at the end; or stand still. */
  toggle() {
    this.playing = !this.playing && this.seconds > 0;
    if (this.playing) {
      if (this.at === null || this.at >= this.seconds) this.at = 0;
      this.last = null;
      requestAnimationFrame((now) => this.step(now));
    }
    this.tell();
  }

  go(at) {
    this.at = at;
    this.tell();
  }

  faster() {
    this.pace = PACES[(PACES.indexOf(this.pace) + 1) % PACES.length];
    this.tell();
  }

  step(now) {
    if (!this.playing) return;
    if (this.last !== null) this.at += Math.min((now - this.last) / 1000, LONGEST_STEP_S) * this.pace;
    this.last = now;
    if (this.at >= this.seconds) {
      this.at = this.seconds;
      this.playing = false;
    }
    this.tell();
    if (this.playing) requestAnimationFrame((later) => this.step(later));
  }

  tell() {
    for (const screen of this.screens) screen.show(this.at);
    for (const bar of this.bars) bar.update();
  }
}

/** Write seconds as 4:15 or 1:04:15. */
export function stopwatch(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
