// Keys, heard only while the focus is inside the viewer.
import { SPEEDS } from "./transport.js";
import { VIEWS } from "./rig.js";

const TURN = 6; // degrees

function orbit(event, viewer) {
  const ways = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, TURN], ArrowDown: [0, -TURN], PageUp: [0, 0, 0.9], PageDown: [0, 0, 1 / 0.9] };
  const way = ways[event.key];
  if (!way || event.target !== viewer.picture || !viewer.rig) return false;
  viewer.rig.turn(...way);
  return true;
}

function faster(viewer, by) {
  const at = SPEEDS.findIndex((speed) => speed >= viewer.clock.speed - 1e-6);
  viewer.setSpeed(SPEEDS[Math.min(Math.max((at < 0 ? SPEEDS.length - 1 : at) + by, 0), SPEEDS.length - 1)]);
}

// True if the key meant something.
export function pressed(event, viewer) {
  if (event.ctrlKey || event.metaKey || event.defaultPrevented) return false;
  if (event.altKey) return orbit(event, viewer);
  const { target, key } = event;
  if (target.matches("select")) return false;
  if (key === " ") {
    if (target.matches("button, summary, input[type=checkbox]")) return false; // what has the focus is pressed
    viewer.toggle();
    return true;
  }
  const view = VIEWS[Number(key) - 1];
  if (key === "ArrowLeft" || key === "ArrowRight") viewer.step((event.shiftKey ? 10 : 1) * (key === "ArrowLeft" ? -1 : 1));
  else if (key === "Home") viewer.moveTo(0);
  else if (key === "End") viewer.moveTo(viewer.clock.length);
  else if (key === "+" || key === "=") faster(viewer, 1);
  else if (key === "-" || key === "−") faster(viewer, -1);
  else if (key === "l" || key === "L") viewer.setLoop(!viewer.clock.loop);
  else if (key === "f" || key === "F") viewer.setFollow(!viewer.follow);
  else if (view) viewer.setView(view);
  else return false;
  return true;
}
