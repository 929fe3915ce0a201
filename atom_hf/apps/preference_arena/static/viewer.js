// The viewer of a ballot: both motions in step; camera, speed and loop stay as they are from pair to pair.
const stage = { host: null, viewer: null };

const theme = () => (document.body.classList.contains("dark") ? "dark" : "light");

async function play(spec) {
  const { mount } = await viewerModule();
  const before = stage.viewer?.state;
  stage.viewer?.destroy();
  const kept = before ? { camera: before.view, follow: before.follow, loop: before.loop } : {};
  stage.viewer = mount(stage.host, spec, { ...kept, theme: theme() });
  if (before) stage.viewer.setSpeed(before.speed);
  stage.viewer.setKeys(!keys.on);
}

new MutationObserver(() => stage.viewer?.setTheme(theme())).observe(document.body, {
  attributes: true,
  attributeFilter: ["class"],
});
