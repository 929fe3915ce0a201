"""The viewer as a component of the page: gets a spec from the server, mounts the bundled script, asks no host."""

from typing import Any

import gradio as gr

from ...render.viewer import viewer_module, viewer_spec
from .comparison import Comparison

_MOUNT = """
const host = () => element.querySelector(".t2m-viewer");
const theme = () => (document.body.classList.contains("dark") ? "dark" : "light");
let viewer = null, shown = null;
async function show() {
  const spec = props.spec;
  if (!spec) return;
  const { mount } = await MODULE;
  // Names that are told after a vote change the labels alone: what plays goes on, seen from the same side.
  const before = viewer && shown === spec.key ? viewer.state : null;
  const first = shown === null;
  viewer?.destroy();
  shown = spec.key;
  const { playing, view, follow, loop } = before ?? {};
  const kept = before ? { autoplay: playing, camera: view, follow, loop } : {};
  viewer = mount(host(), spec, { ...kept, theme: theme() });
  if (before) {
    viewer.setSpeed(before.speed);
    viewer.seek(before.time);
  } else if (!first && host().getBoundingClientRect().top > innerHeight / 2) {
    host().scrollIntoView({ block: "start" }); // on a phone the picture stands below the form
  }
}
show();
watch("spec", show);
const dark = new MutationObserver(() => viewer?.setTheme(theme()));
dark.observe(document.body, { attributes: true, attributeFilter: ["class"] });
"""
_TEMPLATE = '<div class="t2m-viewer"><p class="t2m-empty">${empty}</p></div>'


def viewer_component() -> gr.HTML:
    """The viewer, empty.

    Returns:
        `gr.HTML`: `gr.HTML(spec=…)` from an event shows something.
    """
    return gr.HTML(
        "",
        html_template=_TEMPLATE,
        js_on_load=_MOUNT.replace("MODULE", viewer_module()),
        elem_id="viewer",
        apply_default_css=False,
        spec=None,
        empty="The motion will play here.",
    )


def show(comparison: Comparison, number: int) -> Any:
    """Play a take.

    Args:
        comparison ([`Comparison`]): what is seen.
        number (`int`): of the take, from 0.

    Returns:
        `gr.HTML`: an update of the component.
    """
    spec = viewer_spec(comparison.clips(number), prompt=comparison.generation.request.prompt)
    return gr.HTML(spec={**spec, "key": f"{id(comparison.generation)}-{number}"})
