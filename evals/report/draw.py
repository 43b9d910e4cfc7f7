"""Draws the charts of a report. A program of its own: matplotlib never runs in the process that asks for them.

It reads one JSON object from standard input (`evals.report.charts` writes it) and answers with one line of JSON, the
lengths of the two pictures and the language of their labels, followed by the pictures as PNG. It imports nothing of
the project, so that it can be started without the project's folder on its path.
"""

from __future__ import annotations

import io
import json
import math
import resource
import sys
from typing import Any

#: Seconds of CPU after which the drawing is ended from outside.
_CPU_S = 60
#: Fonts with Chinese characters, the nicest first; `_chinese` looks among the others, too.
_CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Hiragino Sans GB",
    "Droid Sans Fallback",
    "Noto Sans CJK JP",
    "SimHei",
    "Noto Serif CJK SC",
    "Arial Unicode MS",
)
_HINTS = ("cjk", "han", "hei", "song", "ming", "fang", "wenquanyi", "fallback", "unicode")
_LATIN = ("Noto Sans", "Helvetica Neue", "Segoe UI", "Liberation Sans", "Arial", "DejaVu Sans")
_PAPER, _INK, _SOFT, _LINE, _BAND = "#fdfcfa", "#1f1d19", "#6b655b", "#e3dfd6", "#f4f1ea"
#: Okabe and Ito's colours, which colour-blind people can tell apart, each with a marker of its own.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499")
_MARKERS = ("o", "s", "^", "D")
_REFERENCE = "#8d877b"
_REFERENCE_STYLES = (":", "--")
_DPI = 200


def main() -> None:
    """Draw what standard input says."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    wanted = json.load(sys.stdin.buffer)
    import matplotlib as mpl

    mpl.use("Agg")
    fonts, covered = _fonts(wanted["lang"])
    lang = wanted["lang"] if wanted["lang"] == "en" or _covers(covered, wanted["needs"]) else "en"
    mpl.rcParams.update(
        {
            "font.family": fonts,
            "text.color": _INK,
            "axes.edgecolor": _LINE,
            "figure.facecolor": _PAPER,
            "axes.facecolor": _PAPER,
            "savefig.facecolor": _PAPER,
            "text.parse_math": False,
            "axes.unicode_minus": False,
        }
    )
    said = {name: texts[lang] for name, texts in wanted["texts"].items()}
    runs = [{**run, "name": _shown(run["name"], covered)} for run in wanted["runs"]]
    if "rates" in wanted:
        pictures = [b"", _rates(runs, [rows[lang] for rows in wanted["rates"]], said)]
    else:
        pictures = [_radar(runs, wanted["references"], said), _bars(runs, said)]
    head = {"radar": len(pictures[0]), "bars": len(pictures[1]), "lang": lang}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + b"".join(pictures))


def _fonts(lang: str) -> tuple[list[str], set[int]]:
    """Families to draw with, and the characters that they have."""
    from matplotlib import font_manager as found
    from matplotlib.ft2font import FT2Font

    names = set(found.get_font_names())
    latin = [name for name in _LATIN if name in names][:1]
    chinese = [name for name in _CHINESE if name in names][:1]
    if not chinese and lang == "zh":
        chinese = [name for name in sorted(names) if any(hint in name.lower() for hint in _HINTS)][:3]
    fonts = [*latin, *chinese, "DejaVu Sans"]
    covered: set[int] = set()
    for name in dict.fromkeys(fonts):
        covered.update(FT2Font(found.findfont(name)).get_charmap())
    return list(dict.fromkeys(fonts)), covered


def _covers(covered: set[int], text: str) -> bool:
    return all(ord(ch) in covered for ch in text if not ch.isspace())


def _shown(name: str, covered: set[int]) -> str:
    """A name without what no font here has: a question mark is better than a box."""
    return "".join(ch if ord(ch) in covered else "?" for ch in name)


def _scale(values: list[float]) -> tuple[float, float]:
    """Where a scale from zero ends, and how far apart its lines are, for values up to 100."""
    most = max([*values, 1.0])
    for end, step in ((5, 1), (10, 2), (20, 5), (30, 10), (40, 10), (60, 20), (80, 20)):
        if most <= end * 0.97:
            return float(end), float(step)
    return 100.0, 25.0 if most <= 100 else 20.0


def _radar(runs: list[dict[str, Any]], references: list[dict[str, Any]], said: dict[str, str]) -> bytes:
    """Five numbers on five axes from zero to a printed end, a polygon per run."""
    from matplotlib.figure import Figure

    # Values of more than two runs take two lines at each axis.
    crowded = len(runs) > 2
    figure = Figure(figsize=(6.4, 7.4 if crowded else 6.7), dpi=_DPI)
    top = _head(figure, runs, said)
    rows = len(references) + (len(runs) if len(runs) > 1 else 0)
    bottom = 0.085 + 0.04 * rows
    below, above = (0.085, 0.135) if crowded else (0.055, 0.095)
    axes: Any = figure.add_axes((0.16, bottom + below, 0.68, top - above - bottom - below), projection="polar")
    axes.set_theta_offset(math.pi / 2)
    axes.set_theta_direction(-1)
    names = runs[0]["numbers"][:5]
    angles = [2 * math.pi * place / 5 for place in range(5)]
    every = [row["values"][place] for row in (*runs, *references) for place in range(5)]
    end, step = _scale([value for value in every if value is not None])
    axes.set_ylim(0, end)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines["polar"].set_visible(False)
    rings = [step * (1 + place) for place in range(round(end / step))]
    for ring in rings:
        edge = ring == rings[-1]
        axes.plot([*angles, angles[0]], [ring] * 6, color=_LINE, lw=1.4 if edge else 0.9, zorder=1)
    axes.fill(angles, [end] * 5, color=_BAND, alpha=0.55, zorder=0)
    for angle in angles:
        axes.plot([angle, angle], [0, end], color=_LINE, lw=0.9, zorder=1)
    for ring in rings:
        axes.text(
            math.pi / 5,
            ring * math.cos(math.pi / 5),
            f"{ring:g}",
            fontsize=9.5,
            color=_SOFT,
            ha="center",
            va="center",
            zorder=6,
            bbox={"fc": _PAPER, "ec": "none", "pad": 0.8, "alpha": 0.8},
        )
    for row, style in zip(references, _REFERENCE_STYLES, strict=False):
        _polygon(axes, angles, row["values"], color=_REFERENCE, lw=1.5, ls=style, zorder=2)
    for place, run in enumerate(runs):
        colour = _COLOURS[place]
        _polygon(
            axes,
            angles,
            run["values"],
            color=colour,
            lw=2.6,
            zorder=4,
            fill=(0.14, 0.07, 0.0, 0.0)[len(runs) - 1],
            marker=_MARKERS[place],
        )
    for place, angle in enumerate(angles):
        _axis_label(axes, angle, end, said[names[place]], [run["values"][place] for run in runs])
    _legend(figure, runs, references, said)
    return _png(figure)


def _polygon(
    axes: Any,
    angles: list[float],
    values: list[float | None],
    *,
    color: str,
    zorder: int,
    fill: float = 0,
    marker: str = "",
    **line: Any,
) -> None:
    known = [(angle, value) for angle, value in zip(angles, values, strict=True) if value is not None]
    if not known:
        return
    around, out = zip(*known, strict=True)
    if len(known) > 2:
        axes.plot([*around, around[0]], [*out, out[0]], color=color, zorder=zorder, solid_joinstyle="round", **line)
        if fill:
            axes.fill(around, out, color=color, alpha=fill, zorder=zorder - 1, lw=0)
    if marker:
        axes.plot(around, out, marker, color=color, ms=7, mec=_PAPER, mew=1.2, zorder=zorder + 1, clip_on=False)


def _axis_label(axes: Any, angle: float, end: float, name: str, values: list[float | None]) -> None:
    """The axis' name, and below it each run's value in its own colour."""
    side = "center" if abs(math.sin(angle)) < 0.1 else "left" if math.sin(angle) > 0 else "right"
    below = math.cos(angle) < -0.1
    out = end * (1.07 if below else 1.05)
    top = side == "center"
    # Two values in a row: more would leave the picture at its sides.
    lines = (len(values) + 1) // 2
    shift = -10.0 if below else 7.0 + 17 * lines if top else 12.0
    place = {"xy": (angle, out), "textcoords": "offset points", "ha": side, "va": "center", "annotation_clip": False}
    axes.annotate(name, xytext=(0, shift), fontsize=13, fontweight="medium", **place)
    for number, value in enumerate(values):
        line, column = divmod(number, 2)
        wide = min(2, len(values) - 2 * line)
        start = {"center": -(wide - 1) / 2, "left": 0.0, "right": 1.0 - wide}[side]
        shown = "–" if value is None else f"{value:.1f}"
        axes.annotate(
            shown,
            xytext=((start + column) * 36, shift - 17 * (line + 1)),
            fontsize=12.5,
            fontweight="bold",
            color=_COLOURS[number],
            **place,
        )


def _legend(figure: Any, runs: list[dict[str, Any]], references: list[dict[str, Any]], said: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    lines: list[tuple[str, dict[str, Any]]] = []
    for place, run in enumerate(runs if len(runs) > 1 else []):
        lines.append((run["title"], {"color": _COLOURS[place], "lw": 2.6, "marker": _MARKERS[place], "ms": 7}))
    for row, style in zip(references, _REFERENCE_STYLES, strict=False):
        lines.append((f"{row['name']} ({said['published']})", {"color": _REFERENCE, "lw": 1.5, "ls": style}))
    for place, (title, drawn) in enumerate(lines):
        y = 0.075 + 0.04 * (len(lines) - 1 - place)
        x = [0.065, 0.0925, 0.12]
        figure.add_artist(Line2D(x, [y] * 3, transform=figure.transFigure, markevery=[1], **drawn))
        figure.text(0.14, y, title, fontsize=11.5, va="center")
    figure.text(0.5, 0.026, said["radar_scale"], fontsize=9.5, color=_SOFT, ha="center", va="center")


def _head(figure: Any, runs: list[dict[str, Any]], said: dict[str, str]) -> float:
    """Title and subtitle; returns how far up the figure is free, as a fraction."""
    high = figure.get_figheight()
    title = said["title"] if len(runs) > 1 else runs[0]["mark"] + runs[0]["name"]
    subtitle = said["several"] if len(runs) > 1 else said["one"]
    size = 17 if len(title) < 42 else max(9.0, 17 * 42 / len(title))
    figure.text(0.05, 1 - 0.36 / high, title, fontsize=size, fontweight="bold", va="center")
    figure.text(0.05, 1 - 0.68 / high, subtitle, fontsize=11, color=_SOFT, va="center")
    return float(1 - 0.85 / high)


def _bars(runs: list[dict[str, Any]], said: dict[str, str]) -> bytes:
    """Six numbers with their intervals; below, the same by template, number by number."""
    from matplotlib.figure import Figure

    templates = [name for run in runs for name in run["templates"]]
    templates = list(dict.fromkeys(templates))[:6]
    panels = [
        name
        for name in runs[0]["numbers"][:4]
        if any(run["by_template"].get(name, {}).get(template) for run in runs for template in templates)
    ]
    thick = 0.30 + 0.17 * (len(runs) - 1)
    upper = 6 * thick + 0.35
    lower = len(templates) * thick * 0.92 + 0.75 if panels else 0.0
    legend = 0.3 * len(runs) + 0.1 if len(runs) > 1 else 0.0
    high = 0.95 + legend + upper + lower + 0.67
    figure = Figure(figsize=(7.6, high), dpi=_DPI)
    _head(figure, runs, said)
    if legend:
        _rows(figure, runs, high)
    shown = [one for run in runs for one in run["estimates"] if one]
    end, step = _scale([100 * (one[2] if one[2] is not None else one[0]) for one in shown])
    bottom = 1 - (0.95 + legend + upper) / high
    axes = figure.add_axes((0.165, bottom + 0.02, 0.775, upper / high - 0.02))
    names = [said[name] for name in runs[0]["numbers"]]
    _panel(axes, names, [run["estimates"] for run in runs], end, step, labels=True, emphasised=5)
    if panels:
        figure.text(0.05, bottom - 0.3 / high, said["by_template"], fontsize=12.5, fontweight="bold", va="center")
        wide = (0.94 - 0.165) / len(panels)
        estimates = [one for run in runs for name in panels for one in run["by_template"].get(name, {}).values() if one]
        end, step = _scale([100 * (one[2] if one[2] is not None else one[0]) for one in estimates])
        for place, name in enumerate(panels):
            part = figure.add_axes((0.165 + place * wide, 0.62 / high, wide * 0.86, (lower - 0.72) / high))
            rows = [[run["by_template"].get(name, {}).get(template) for template in templates] for run in runs]
            _panel(
                part, templates if place == 0 else [""] * len(templates), rows, end, step if wide > 0.25 else end / 2
            )
            part.set_title(said[name], fontsize=11, loc="left", pad=5, color=_INK)
    figure.text(0.05, 0.17 / high, said["bars_note"], fontsize=9.5, color=_SOFT, va="center")
    return _png(figure)


def _rates(runs: list[dict[str, Any]], parts: list[dict[str, Any]], said: dict[str, str]) -> bytes:
    """Pass rates of an own suite with their intervals: a panel per table, all from 0 to 100."""
    from matplotlib.figure import Figure

    row, between, top, below = 0.36, 0.42, 0.85, 0.62
    high = top + sum(between + row * len(part["rows"]) for part in parts) + between * (len(parts) - 1) + below
    figure = Figure(figsize=(7.6, high), dpi=_DPI)
    _head(figure, runs, said)
    y = high - top
    for place, part in enumerate(parts):
        y -= between
        figure.text(0.05, (y + 0.16) / high, part["title"], fontsize=12.5, fontweight="bold", va="center")
        y -= row * len(part["rows"])
        axes = figure.add_axes((0.235, y / high, 0.705, row * len(part["rows"]) / high))
        names = [name for name, _ in part["rows"]]
        estimates = [[estimate for _, estimate in part["rows"]]]
        _panel(axes, names, estimates, 100.0, 20.0, labels=True, emphasised=0 if place == 0 else -1)
        y -= between
    figure.text(0.05, 0.17 / high, said["bars_note"], fontsize=9.5, color=_SOFT, va="center")
    return _png(figure)


def _rows(figure: Any, runs: list[dict[str, Any]], high: float) -> None:
    from matplotlib.patches import Rectangle

    for place, run in enumerate(runs):
        y = 1 - (0.98 + 0.3 * place) / high
        figure.add_artist(
            Rectangle((0.05, y - 0.06 / high), 0.022, 0.12 / high, color=_COLOURS[place], transform=figure.transFigure)
        )
        figure.text(0.085, y, run["title"], fontsize=11.5, va="center")


def _panel(
    axes: Any,
    names: list[str],
    runs: list[list[Any]],
    end: float,
    step: float,
    *,
    labels: bool = False,
    emphasised: int = -1,
) -> None:
    """Horizontal bars from zero, a group per name and a bar per run, each with its interval."""
    several = len(runs)
    size = 0.62 if several == 1 else 0.82 / several
    for group in range(len(names)):
        if group % 2 == 0:
            axes.axhspan(group - 0.5, group + 0.5, color=_BAND, alpha=0.6, lw=0, zorder=0)
        for run in range(several):
            estimate = runs[run][group]
            y = group + (run - (several - 1) / 2) * size
            if estimate is None:
                axes.text(end * 0.012, y, "–", fontsize=10, color=_SOFT, va="center")
                continue
            value, low, high = (math.nan if one is None else 100 * one for one in estimate)
            strong = group == emphasised
            axes.barh(y, value, size * 0.86, color=_COLOURS[run], alpha=1 if strong else 0.78, zorder=2)
            bounded = not (math.isnan(low) or math.isnan(high))
            if bounded:
                axes.plot([low, high], [y, y], color=_INK, lw=1.5, zorder=3, solid_capstyle="butt")
                axes.plot([low, low], [y - 0.1, y + 0.1], color=_INK, lw=1.5, zorder=3)
                axes.plot([high, high], [y - 0.1, y + 0.1], color=_INK, lw=1.5, zorder=3)
            if labels:
                right = (max(value, high) if bounded else value) + end * 0.014
                axes.text(
                    right,
                    y,
                    f"{value:.2f}",
                    fontsize=11.5 if several < 3 else 9.5,
                    va="center",
                    zorder=4,
                    fontweight="bold" if strong else "normal",
                )
    axes.set_xlim(0, end * (1.1 if labels else 1.02))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names, fontsize=12 if labels else 10.5)
    if emphasised >= 0:
        axes.get_yticklabels()[emphasised].set_fontweight("bold")
    ticks = [step * place for place in range(round(end / step) + 1)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=9.5)
    # The ends stay within the panel, so that two panels' numbers don't meet.
    axes.get_xticklabels()[0].set_ha("left" if not labels else "center")
    axes.get_xticklabels()[-1].set_ha("right" if not labels else "center")
    axes.tick_params(length=0, labelcolor=_SOFT, axis="x", pad=3)
    axes.tick_params(length=0, labelcolor=_INK, axis="y", pad=7)
    axes.grid(axis="x", color=_LINE, lw=0.8, zorder=1)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _png(figure: Any) -> bytes:
    made = io.BytesIO()
    figure.savefig(made, format="png", dpi=_DPI)
    return made.getvalue()


if __name__ == "__main__":
    main()
