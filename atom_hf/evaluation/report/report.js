
"use strict";
// The videos of a group play in step: the short ones wait at their end for the longest, then all begin again.
const still = matchMedia("(prefers-reduced-motion: reduce)");
for (const group of document.querySelectorAll(".group")) {
  const videos = [...group.querySelectorAll("video")];
  const button = group.querySelector("button");
  let wanted = !still.matches, visible = false;

  const play = (some) => some.forEach((video) => video.play().catch(() => {}));
  const restart = (some) => {
    some.forEach((video) => { video.currentTime = 0; });
    play(some);
  };
  const stop = () => videos.forEach((video) => video.pause());
  const say = () => { if (button) button.textContent = wanted ? "Pause" : "Play together"; };

  for (const video of videos) {
    video.loop = false;
    video.addEventListener("ended", () => {
      if (!wanted) restart([video]);  // somebody plays this one alone
      else if (videos.every((other) => other.paused)) restart(videos.filter((other) => other.ended));
    });
  }
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      wanted = !wanted;
      if (wanted) restart(videos); else stop();
      say();
    });
  }
  new IntersectionObserver(([entry]) => {
    if (entry.isIntersecting === visible) return;
    visible = entry.isIntersecting;
    if (!visible) stop();
    else if (wanted) play(videos.filter((video) => !video.ended));
  }, { threshold: 0.1 }).observe(group);
  still.addEventListener("change", () => {
    if (!still.matches) return;
    wanted = false;
    stop();
    say();
  });
  say();
}
