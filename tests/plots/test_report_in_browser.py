"""The page in a real browser: its charts are drawn and follow the slider, nothing is said on the console, nothing asked of a network."""

import io

import numpy as np
import pytest
from browser import browser, elsewhere, look, requests
from PIL import Image
from problems import Tanh

import wgf

pytestmark = pytest.mark.coarse

TANH = Tanh(penalty=0.05)
HOSTILE = '</script><script>alert("<b>1</b>")</script> & $x$'


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A run on a grid with its certificate, one on a mesh, one of neurons, and a comparison: a part each."""
    folder = tmp_path_factory.mktemp("page")
    given = wgf.Problem(TANH.problem.energy, TANH.problem.initial, title=HOSTILE)
    grid, mesh = wgf.FiniteVolume(24, TANH.lower, TANH.upper, edge_tolerance=1), wgf.FiPyMesh(wgf.Disc(3.0, 0.8), edge_tolerance=1)
    runs = [wgf.solve(given, method, 1.0, 5, store=folder / f"{k}.h5") for k, method in enumerate((grid, mesh, wgf.Particles(40)))]
    wgf.certify(runs[0])
    found = wgf.compare(given, grid, 1.0, (4, 8), 5, 5, workers=1)
    return wgf.report([*runs, found], folder / "report.html")


def drawn(driver, chart):
    """A chart as pixels."""
    element = driver.find_element("id", chart)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    return np.asarray(Image.open(io.BytesIO(element.screenshot_as_png)).convert("RGB")).astype(int)


def colours_of(driver):
    return driver.execute_script("return getComputedStyle(document.body).backgroundColor")


@pytest.fixture(scope="module")
def opened(page):
    with browser() as driver:
        look(driver, 1000, 1200, dark=False)
        driver.get(page.as_uri())
        yield driver


def move(driver, part, keys):
    """Keys on the slider of a part; what it then says."""
    slider = driver.find_element("id", f"time-{part}")
    slider.send_keys(keys)
    driver.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => setTimeout(done, 300))")
    return slider.get_attribute("aria-valuetext")


MOVING = {
    1: ("chart-1-1", "chart-1-2", "chart-1-3", "chart-1-4"),
    2: ("chart-2-1",),
    3: ("chart-3-1", "chart-3-2"),
    4: ("chart-4-1", "chart-4-3"),
}


@pytest.mark.parametrize("part", MOVING)
def test_the_slider_moves_the_pictures(opened, part):
    """With the keyboard, to the first frame and back to the last; what it says is what is shown."""
    from selenium.webdriver.common.keys import Keys

    assert move(opened, part, Keys.END).startswith("t = 1")
    last = {chart: drawn(opened, chart) for chart in MOVING[part]}
    assert move(opened, part, Keys.HOME).startswith("t = 0")
    for chart, before in last.items():
        assert np.abs(drawn(opened, chart) - before).max() > 40, chart
    assert move(opened, part, Keys.ARROW_RIGHT).startswith("t = 0.25")
    assert move(opened, part, Keys.END).startswith("t = 1")
    for chart, before in last.items():
        assert np.abs(drawn(opened, chart) - before).mean() < 0.5, chart


def test_the_numbers_in_the_picture_are_those_of_the_run(opened, page):
    """The image of a frame in the middle, as plotly holds it; the cells that are shown are cells of the run."""
    from selenium.webdriver.common.keys import Keys

    move(opened, 1, Keys.HOME)
    move(opened, 1, Keys.ARROW_RIGHT * 2)
    script = """
    const drawn = document.getElementById("chart-1-1")._fullData[0];
    return [Array.from(drawn.z, (row) => Array.from(row)), ...[drawn.x, drawn.y].map((line) => Array.from(line))];
    """
    values, *places = opened.execute_script(script)
    measure = wgf.open_run(page.parent / "0.h5").measures[2]
    rows = [[int(np.abs(centres - place).argmin()) for place in found] for centres, found in zip(measure.grid.centers, places, strict=True)]
    expected = measure.values[np.ix_(*rows)]
    assert expected.sum() > 0.99 * measure.values.sum()
    assert pytest.approx(expected, abs=1e-4 * expected.max()) == np.array(values).T


def test_play_runs_to_the_end_and_stops(opened):
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.wait import WebDriverWait

    move(opened, 1, Keys.HOME)
    play = opened.find_element("css selector", "#part-1 .play")
    play.send_keys(Keys.ENTER)
    assert play.get_attribute("aria-pressed") == "true"
    WebDriverWait(opened, 30).until(lambda _: play.get_attribute("aria-pressed") == "false")
    assert opened.find_element("id", "time-1").get_attribute("aria-valuetext").startswith("t = 1")


def test_light_and_dark(opened):
    """As the reader's system has it, and the other way by the button."""
    light = colours_of(opened)
    before = drawn(opened, "chart-1-1")
    button = opened.find_element("id", "theme")
    button.click()
    assert colours_of(opened) != light
    assert np.abs(drawn(opened, "chart-1-1") - before).mean() > 20
    assert button.text == "light"
    button.click()
    assert colours_of(opened) == light


def test_texts_of_a_file_are_texts(opened):
    """A title that ends a script and begins another is a heading, letter by letter."""
    assert opened.find_element("tag name", "h1").text == opened.title == HOSTILE
    assert len(opened.find_elements("css selector", "script")) == 3


def test_nothing_is_said_and_nothing_asked(opened, page):
    """After all that was done above, on the console and in the record of requests; which does see one."""
    assert [entry for entry in opened.get_log("browser") if "deprecat" not in entry["message"].lower()] == []
    asked = requests(opened)
    assert page.as_uri() in asked  # the record is one
    assert not elsewhere(asked)
    opened.execute_script("const i = new Image(); i.src = 'https://example.org/x.png'; document.body.append(i)")
    refused = [entry["message"] for entry in opened.get_log("browser")]
    assert any("Content Security Policy" in message for message in refused)


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1400, False)])
def test_it_fits_a_phone_and_a_screen(opened, page, width, dark):
    """Nothing is wider than the window, and every chart is drawn in it."""
    look(opened, width, 900, dark)
    opened.get(page.as_uri())
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    assert (colours_of(opened) == "rgb(14, 18, 22)") == dark
    found = "[...document.querySelectorAll('.chart')].map((c) => [c.offsetWidth, c.querySelectorAll('svg.main-svg').length, c.ariaLabel])"
    charts = opened.execute_script(f"return {found}")
    assert len(charts) >= 12
    for size, drawings, label in charts:
        assert 0.4 * min(width, 900) < size <= width
        assert drawings
        assert label
