"""The viewer in a real browser, drawn by its processor."""

import json

import numpy as np
import pytest

from atom_hf.motion import Motion
from atom_hf.render.viewer import (
    ViewerClip,
    ViewerEvent,
    viewer_block,
    viewer_iframe,
    viewer_page,
    viewer_script,
    viewer_spec,
    viewer_style,
)
from tests.render.viewer.tiny_glb import tiny_glb

NO_WEBGL = "HTMLCanvasElement.prototype.getContext = () => null;"


def shades(picture: np.ndarray) -> dict[str, int]:
    """How many pixels are blue, orange and green (the trail)."""
    red, green, blue = np.moveaxis(picture, -1, 0)
    return {
        "blue": int(((blue > red + 70) & (blue > 120)).sum()),
        "orange": int(((red > blue + 110) & (red > 150)).sum()),
        "green": int(((green > red + 60) & (green > blue + 30)).sum()),
    }


def test_a_person_is_seen_with_blue_left_and_orange_right_limbs(one):
    page = one
    page.page.get_by_role("button", name="Front", exact=True).click()
    page.wait("viewer().state.view === 'front'")
    picture = page.picture()
    red, _, blue = np.moveaxis(picture, -1, 0)
    found = shades(picture)
    assert found["blue"] > 1000 and found["orange"] > 1000
    columns = np.arange(picture.shape[1])
    is_blue, is_orange = (blue > red + 70) & (blue > 120), (red > blue + 110) & (red > 150)
    # Who faces the camera has the left arm on the right of the picture.
    assert (columns * is_blue).sum() / is_blue.sum() > (columns * is_orange).sum() / is_orange.sum() + 10


def test_buttons_play_pause_step_and_scrub(one):
    page = one
    page.page.get_by_role("button", name="Play", exact=True).click()
    page.wait("viewer().state.playing && viewer().state.frame > 2")
    page.page.get_by_role("button", name="Pause").click()
    assert not page.state["playing"]
    page.page.get_by_label("Time").fill("10")
    assert page.state["frame"] == 10
    page.page.get_by_role("button", name="One frame forward").click()
    assert page.state["time"] == pytest.approx(11 / 20)
    page.page.get_by_role("button", name="One frame back").click()
    page.page.get_by_role("button", name="One frame back").click()
    assert page.state["frame"] == 9
    page.page.get_by_label("Speed").select_option("0.5")
    assert page.state["speed"] == 0.5
    loop = page.page.get_by_role("button", name="Loop")
    assert loop.get_attribute("aria-pressed") == "true"
    loop.click()
    assert loop.get_attribute("aria-pressed") == "false"
    assert page.page.get_by_label("Time").get_attribute("aria-valuetext") == "0.45 of 1.95 seconds, frame 9"


def test_the_picture_changes_with_time_and_camera_and_not_without(one):
    page = one
    first = page.picture()
    assert np.array_equal(first, page.picture())
    page.page.get_by_label("Time").fill("20")
    later = page.picture()
    assert (first != later).any(-1).mean() > 0.01
    box = page.page.locator(".av-picture").bounding_box()
    page.page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 320, box["y"] + 200, steps=3)
    page.page.mouse.up()
    assert (page.picture() != later).any(-1).mean() > 0.01
    assert page.state["view"] is None


def test_nothing_is_drawn_while_nothing_changes(one):
    page = one
    drawn = page.page.evaluate("viewer().stage.renderer.info.render.frame")
    page.page.wait_for_timeout(250)
    assert page.page.evaluate("viewer().stage.renderer.info.render.frame") == drawn
    page.page.get_by_label("Time").fill("3")
    page.settle()
    assert page.page.evaluate("viewer().stage.renderer.info.render.frame") > drawn


def test_the_end_is_said_and_a_loop_begins_again(one):
    page = one
    page.page.evaluate(
        "window.heard = []; for (const name of ['motion:play', 'motion:end', 'motion:frame', 'motion:pause'])"
        " document.addEventListener(name, event => heard.push([name, event.detail.frame]))"
    )
    page.page.evaluate("viewer().setLoop(false); viewer().seek(1.7); viewer().play()")
    page.wait("heard.some(([name]) => name === 'motion:end')")
    heard = page.page.evaluate("heard")
    assert heard[0] == ["motion:frame", 34] and heard[1][0] == "motion:play"
    assert heard[-1] == ["motion:end", 39]
    assert not page.state["playing"]
    page.page.evaluate("viewer().setLoop(true); viewer().seek(1.9); viewer().play()")
    page.wait("viewer().state.playing && viewer().state.frame < 30")


def test_two_clips_run_in_step_and_the_shorter_one_says_that_it_waits(two):
    page = two
    assert page.page.locator("canvas").count() == 1
    assert page.page.evaluate("contexts.made - contexts.lost") == 1
    notes = page.page.locator(".av-note")
    assert [notes.nth(i).is_visible() for i in range(2)] == [False, False]
    page.page.get_by_label("Time").fill("30")
    page.wait("!document.querySelectorAll('.av-note')[1].hidden")
    assert [notes.nth(i).is_visible() for i in range(2)] == [False, True]
    assert notes.nth(1).inner_text() == "holds its last frame"
    picture = page.picture()
    for half in (picture[:, : picture.shape[1] // 2], picture[:, picture.shape[1] // 2 :]):
        found = shades(half)
        assert found["blue"] > 300 and found["orange"] > 300
    assert page.page.locator(".av-label").all_inner_texts() == ["Base", "Aligned"]


def test_events_lead_to_their_moment_and_are_told_in_words(two):
    page = two
    page.page.get_by_role("button", name="Go to left kick, 1.00 s to 1.50 s").click()
    assert page.state["time"] == pytest.approx(1.0)
    page.wait("document.querySelectorAll('.av-event[data-on]').length === 1")
    page.page.get_by_text("What happens").click()
    items = page.page.locator(".av-details ol li").all_inner_texts()
    assert items[0].split() == "0.20 s – 1.00 s walk asked for in Base".split()
    assert items[1].split() == "0.25 s – 1.00 s walk seen in Aligned".split()
    page.page.locator(".av-moment").first.click()
    assert page.state["time"] == pytest.approx(0.2)


def test_everything_can_be_done_with_keys_and_they_can_be_switched_off(one):
    page = one
    keys = page.page.keyboard
    keys.press("ArrowRight")
    assert page.state["frame"] == 0  # the focus is elsewhere
    page.page.locator(".av-picture").focus()
    for key, name, value in (
        ("ArrowRight", "frame", 1),
        ("Shift+ArrowRight", "frame", 11),
        ("ArrowLeft", "frame", 10),
        ("End", "frame", 39),
        ("Home", "frame", 0),
        ("+", "speed", 1.5),
        ("-", "speed", 1),
        ("l", "loop", False),
        ("f", "follow", False),
        ("1", "view", "front"),
        ("5", "view", "top"),
        (" ", "playing", True),
        (" ", "playing", False),
        ("Alt+ArrowLeft", "view", None),
    ):
        keys.press(key)
        assert page.state[name] == value, key
    # On a button, the space bar presses that button; on the time line, arrows go by one frame.
    page.page.get_by_role("button", name="Loop").focus()
    keys.press(" ")
    assert page.state["loop"] and not page.state["playing"]
    frame = page.state["frame"]
    page.page.get_by_label("Time").focus()
    keys.press("ArrowRight")
    assert page.state["frame"] == frame + 1

    page.page.locator("summary", has_text="Keys").focus()
    keys.press("Enter")
    box = page.page.get_by_label("Keys are on")
    box.focus()
    keys.press(" ")
    assert page.state["keys"] is False
    keys.press("l")
    keys.press("End")
    assert page.state["loop"] and page.state["frame"] == frame + 1


def test_a_phone_shows_everything_without_scrolling_sideways(opened, pair_page):
    page = opened(pair_page, width=360, height=740, has_touch=True, is_mobile=True, device_scale_factor=2).ready()
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
    first, second = (page.page.locator(".av-pane").nth(i).bounding_box() for i in range(2))
    assert second["y"] >= first["y"] + first["height"] - 1
    small = page.page.evaluate(
        "[...document.querySelectorAll('.av-button, .av-view, .av-select, .av-range, summary, .av-event')]"
        ".map(e => [e.getBoundingClientRect(), e]).filter(([box]) => box.height < 39.5).map(([, e]) => e.className)"
    )
    assert small == []
    assert page.page.evaluate("viewer().stage.canvas.width") == page.page.evaluate(
        "2 * viewer().stage.canvas.clientWidth"
    )
    page.page.touchscreen.tap(180, 200)
    assert page.page.evaluate("getComputedStyle(document.querySelector('.av-picture')).touchAction") == "none"
    assert page.page.evaluate("getComputedStyle(document.body).touchAction") == "auto"


def test_motion_begins_by_itself_unless_the_page_or_the_system_says_otherwise(bench, pair):
    moving, quiet = (viewer_spec(pair[0], autoplay=autoplay, fallback=False) for autoplay in (True, False))
    assert not bench.mount(moving).state["playing"]  # this system asks for reduced motion
    bench.page.emulate_media(reduced_motion="no-preference")
    assert not bench.mount(quiet).state["playing"]
    assert bench.mount(moving).state["playing"]
    bench.page.emulate_media(reduced_motion="reduce")
    bench.wait("!viewer().state.playing")


def test_light_and_dark_follow_the_system_or_the_page(bench, pair):
    bench.mount(viewer_spec(pair[0], fallback=False))
    for theme, least, most in (("light", 230, 255), ("dark", 0, 60), ("light", 230, 255)):
        bench.page.emulate_media(color_scheme=theme)
        bench.wait(f"viewer().state.theme === '{theme}'")
        sky = bench.picture()[5, 5]
        assert sky.min() >= least and sky.max() <= most
    bench.mount(viewer_spec(pair[0], theme="dark", fallback=False))
    assert bench.state["theme"] == "dark"
    assert bench.picture()[5, 5].max() < 60


def test_without_webgl_the_still_and_the_words_remain(opened, pair_page):
    page = opened(pair_page, script=NO_WEBGL)
    page.wait("viewer() && viewer().state.fallback")
    message = page.page.locator(".av-fallback .av-message").inner_text()
    assert message == "This browser cannot draw in three dimensions here (no WebGL). A still is shown instead."
    still = page.page.locator("img.av-still")
    assert still.evaluate("image => image.decode().then(() => image.naturalWidth)") == 960
    assert still.get_attribute("alt") == "A person moves: a person walks; 2 clips side by side"
    assert page.page.locator(".av-prompt").inner_text() == "a person walks"
    assert page.page.get_by_role("button", name="Go to walk, 0.20 s to 1.00 s").is_visible()
    assert not page.page.get_by_role("button", name="Play").is_visible()


def test_without_webgl_a_video_plays_and_events_seek_it(opened, pair):
    pytest.importorskip("av")
    page = opened(viewer_page(pair[0]), script=NO_WEBGL)
    page.wait("document.querySelector('video.av-video')?.readyState > 0")
    page.page.get_by_role("button", name="Go to left kick, 1.00 s to 1.50 s").click()
    assert page.page.evaluate("document.querySelector('video').currentTime") == pytest.approx(1.0, abs=0.05)


def test_a_lost_context_is_said_and_comes_back(one):
    page = one
    page.page.evaluate(
        "window.loss = viewer().stage.renderer.getContext().getExtension('WEBGL_lose_context'); loss.loseContext()"
    )
    page.wait("viewer().state.fallback")
    assert "took the drawing surface away" in page.page.locator(".av-fallback .av-message").inner_text()
    page.page.evaluate("loss.restoreContext()")
    page.wait("!viewer().state.fallback")
    assert shades(page.picture())["blue"] > 500


def test_a_script_in_a_prompt_stays_text(opened, walking):
    text = "</script><script>window.stolen = 1</script><img src=x onerror='window.stolen = 1'>"
    clip = ViewerClip(walking, text, [ViewerEvent(text, 0.1, 0.5, side=text)])
    page = opened(viewer_page(clip, title=text, prompt=text, video_budget=0)).ready()
    assert page.page.locator(".av-prompt").inner_text() == text
    assert page.page.locator(".av-label").inner_text() == text
    assert page.page.evaluate("window.stolen") is None
    assert page.page.title() == text


def test_a_module_from_text_mounts_several_and_gives_their_contexts_back(bench, pair):
    specs = [viewer_spec(clip, fallback=False) for clip in pair]
    held = "contexts.made - contexts.lost"
    bench.wait(f"{held} === 0")
    for i in range(3):
        bench.mount(specs[i % 2])
    bench.page.evaluate("document.getElementById('b').scrollIntoView()")
    bench.mount(specs[1], "b")
    assert bench.page.locator("#atom-viewer-style").count() == 1
    assert bench.page.locator("canvas").count() == 2
    assert bench.page.locator(".atom-viewer").count() == 2
    bench.wait(f"{held} === 2")
    bench.page.evaluate("() => { window.kept = document.getElementById('b'); kept.remove(); }")
    bench.wait(f"{held} === 1")
    bench.page.evaluate("() => { document.body.append(kept); kept.scrollIntoView(); }")  # what comes back draws again
    bench.wait("kept.atomViewer.state.drawing")
    bench.page.evaluate("() => { viewer().destroy(); kept.atomViewer.destroy(); }")
    bench.wait(f"{held} === 0")
    assert bench.page.locator(".atom-viewer").count() == 0


def test_of_many_viewers_only_those_in_sight_hold_a_context(opened, pair):
    blocks = "\n".join(viewer_block(viewer_spec(pair[0], autoplay=False, fallback=False)) for _ in range(8))
    html = (
        f'<!DOCTYPE html><meta charset="utf-8"><style>{viewer_style()}</style><main>{blocks}</main>'
        f'<script type="module">{viewer_script()}</script>'
    )
    page = opened(html).ready()
    assert page.page.locator(".atom-viewer").count() == 8
    assert page.page.evaluate("contexts.made - contexts.lost") <= 3
    page.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait("[...document.querySelectorAll('[data-atom-viewer]')].at(-1).atomViewer.state.drawing")
    page.wait("!viewer().state.drawing")
    assert page.page.evaluate("contexts.made - contexts.lost") <= 4


def test_a_skinned_body_moves_in_step_and_a_broken_one_leaves_the_capsules(bench, standing):
    broken = b"glTF" + bytes(40)
    clips = [ViewerClip(standing, mesh=tiny_glb()), ViewerClip(standing, mesh=broken)]
    bench.mount(viewer_spec(clips, fallback=False))
    bench.wait("viewer().stage.panes[0].mesh && document.querySelector('.av-stage > .av-message')")
    assert bench.page.locator(".av-stage > .av-message").inner_text().startswith("The body model could not be read")
    heights = []
    for seconds in (0, 0.4):
        bench.page.evaluate(f"viewer().moveTo({seconds})")
        picture = bench.picture()
        picture = picture[: int(0.6 * len(picture))]  # without the marks of the feet
        left, right = np.array_split(picture, 2, axis=1)
        assert shades(left)["blue"] < 30 and shades(right)["blue"] > 300
        red = (left[..., 0] > 150) & (left[..., 1] < 90)
        heights.append(np.flatnonzero(red.any(1))[0])
    assert heights[1] < heights[0] - 10


def test_one_frame_and_ten_thousand(bench, walk):
    bench.page.emulate_media(reduced_motion="no-preference")
    state = bench.mount(viewer_spec(ViewerClip(Motion(walk[:1])), fallback=False)).state
    bench.page.emulate_media(reduced_motion="reduce")
    assert (state["frames"], state["playing"]) == (1, False)
    assert shades(bench.picture())["blue"] > 300
    joints = np.tile(walk, (250, 1, 1)) + np.linspace(0, 300, 10_000)[:, None, None] * np.array([1.0, 0, 0])
    bench.mount(viewer_spec(ViewerClip(Motion(joints.astype(np.float32))), fallback=False))
    assert bench.state["frames"] == 10_000
    milliseconds = bench.page.evaluate(
        "() => { const start = performance.now();"
        " for (let i = 0; i < 20; i++) { viewer().clock.seek(i * 20); viewer().draw(); }"
        " return (performance.now() - start) / 20; }"
    )
    assert milliseconds < 50


def test_a_notebook_frame_draws_inside_its_sandbox(opened, pair):
    page = opened(f"<!DOCTYPE html><body>{viewer_iframe(pair[0], prompt='a person walks')}</body>")
    frame = page.page.frame_locator("iframe")
    frame.locator("canvas").wait_for(timeout=10_000)
    assert frame.locator(".av-prompt").inner_text() == "a person walks"


def test_the_state_is_plain(one):
    state = one.state
    assert json.loads(json.dumps(state)) == state
    assert {"time", "frame", "playing", "speed", "loop", "follow", "view", "fallback"} <= set(state)
